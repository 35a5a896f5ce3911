// The effects of an event: orders to workers, and completions of jobs.
#pragma once

#include <rankpool/detail/scheduler/job.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

namespace rankpool::detail {

using executor_id = std::uint32_t;
using chunk_id = std::uint64_t;

/// Workers are numbered from 0, in the order of their ranks.
struct worker_index {
  int value = 0;
  friend bool operator==(worker_index, worker_index) = default;
};

/// What a worker was running when it was lost.
struct running_item {
  chunk_id chunk = 0;      ///< 0: none
  std::uint64_t item = 0;  ///< index within the chunk; beyond its items: it is not known
};

struct effects {
  struct send_task {
    worker_index to;
    chunk_id id = 0;
    executor_id executor = 0;
    const job* work = nullptr;    ///< valid until the next event
    const chunk* part = nullptr;  ///< valid until the next event
  };
  struct open_executor {
    worker_index to;
    executor_id executor = 0;
  };
  struct recall {
    worker_index to;
  };
  struct abort {
    worker_index to;
    chunk_id id = 0;
  };
  struct end_process {
    worker_index to;
    executor_id executor = 0;
    int signal = 0;
  };
  using close_executor = open_executor;
  struct completion {
    job_ptr work;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::exception_ptr error;                                 ///< why it did not run; null if the caller has the outcome
    std::optional<worker_index> abandoned_at = std::nullopt;  ///< the worker that had it and has not answered
    std::optional<worker_index> lost_at = std::nullopt;       ///< it has ended this worker, and does not run again
  };
  struct abandonment {
    job_ptr work;
    std::exception_ptr error;    ///< null: cancelled
    bool awaited_retry = false;  ///< a failed part of it has waited for its next attempt
  };

  std::vector<open_executor> open;  ///< to be sent before any task
  std::vector<send_task> send;
  std::vector<recall> recalls;
  std::vector<abort> aborts;          ///< isolated chunks that the worker is to cancel
  std::vector<end_process> ends;      ///< processes of isolated tasks that are to get a signal
  std::vector<close_executor> close;  ///< the worker has no task of this executor any more
  std::vector<completion> completions;
  std::vector<abandonment> abandon;        ///< the caller calls on_change() for each afterwards
  blocks still_read;                       ///< of chunks that have failed while a worker may read their blocks from this process
  std::vector<executor_id> jobs_finished;  ///< one entry per job; take it after `completions` and `abandon`

  bool empty() const {
    return open.empty() && send.empty() && recalls.empty() && aborts.empty() && ends.empty() && close.empty() &&
           completions.empty() && abandon.empty() && jobs_finished.empty();
  }
};

}  // namespace rankpool::detail
