// The events that the threads of rank 0's program post to the dispatcher.
#pragma once

#include "scheduler/scheduler.hpp"

#include <rankpool/detail/dispatcher/executor_listener.hpp>
#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/shared/shared_data.hpp>
#include <rankpool/detail/wire/runner_settings.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <variant>
#include <vector>

namespace rankpool::detail {

struct executor_opened {
  executor_id executor = 0;
  int max_workers = 0;
  std::weak_ptr<executor_listener> listener;
  initializer_call initializer;
  runner_settings runners;
};

struct job_submitted {
  job_ptr work;
};

/// One job for each worker of the executor, in rank order.
struct submitted_everywhere {
  executor_id executor = 0;
  std::vector<job_ptr> work;
};

/// A job has more items, is sealed, or was cancelled.
struct job_changed {
  job_ptr work;
};

/// The chunk of an isolated job is to be cancelled by the worker that holds it.
struct job_aborted {
  job_ptr work;
};

/// A failed part of a job is to run again after a delay.
struct retry_requested {
  job_ptr work;
  std::uint64_t first = 0;  ///< item of the part
  std::chrono::nanoseconds delay{};
};

/// The processes of an executor's isolated tasks are to get a signal.
struct processes_ended {
  executor_id executor = 0;
  int signal = 0;
};

struct executor_shut_down {
  executor_id executor = 0;
  bool cancels = false;
};

/// The executor's jobs have all finished, and it takes no more.
struct executor_closed {
  executor_id executor = 0;
};

/// Data in memory of this process, with its descriptor where the ranks of the node can map it; else -1.
struct value_shared {
  std::shared_ptr<const shared_data> data;
  int descriptor = -1;
};

/// The last handle to a shared value is gone.
struct value_released {
  std::uint64_t id = 0;
};

/// No job reads further input.
struct drain_requested {};

/// The lifecycle is stopping: no task is started any more.
struct stop_requested {};

/// What is left fails with `why`, and the workers end with this exit status.
struct end_requested {
  std::exception_ptr why;
  int status = 0;
  bool ends_processes = false;  ///< workers end their processes even while a task runs
};

/// The rare and large ones are boxed: a submitted task takes 16 bytes here.
using event =
    std::variant<job_submitted, job_changed, job_aborted, processes_ended, executor_shut_down, executor_closed, value_released,
                 drain_requested, stop_requested, std::unique_ptr<end_requested>, std::unique_ptr<executor_opened>,
                 std::unique_ptr<submitted_everywhere>, std::unique_ptr<value_shared>, std::unique_ptr<retry_requested>>;

}  // namespace rankpool::detail
