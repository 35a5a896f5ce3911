// The interface through which the dispatcher reports what happens at the workers.
#pragma once

#include "scheduler/effects.hpp"

#include <rankpool/detail/scheduler/chunk_observer.hpp>
#include <rankpool/detail/support/steady_time.hpp>
#include <rankpool/detail/wire/worker_place.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace rankpool::detail {

/// Messages and their bytes, since the pool started.
struct traffic {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

/// What a step of the dispatcher did.
struct observed_step {
  steady_time begin{};
  steady_time received{};   ///< events and messages were taken
  steady_time scheduled{};  ///< it was decided what is sent
  steady_time sent{};       ///< tasks were encoded and given to the transport
  steady_time end{};        ///< callbacks were called
  std::uint64_t unfinished_jobs = 0;
  traffic sent_so_far{};
  traffic received_so_far{};
};

/// Observes the chunks of all jobs, and the workers. A job may have an observer of its own (job::observer).
class dispatch_observer : public chunk_observer {
 public:
  /// Reports the CPU time that the process of a worker has used since its start.
  virtual void on_cpu_time(worker_index where, std::uint64_t nanoseconds) { (void)where, (void)nanoseconds; }
  /// A message of `bytes` bytes is being sent to the worker.
  virtual void on_message_sent(worker_index to, std::size_t bytes) { (void)to, (void)bytes; }
  /// A message of `bytes` bytes has arrived from the worker.
  virtual void on_message_received(worker_index from, std::size_t bytes) { (void)from, (void)bytes; }
  /// A failed task or part of a map will run again, by decision of rank 0.
  virtual void on_retry() {}
  /// A worker was lost, and with it `tasks` tasks and items that it had not finished. `cause`: its end, as a part of a sentence.
  virtual void on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) {
    (void)where, (void)cause, (void)tasks;
  }
  /// A step had something to do. Called only for dispatcher_options::trace.
  virtual void on_step(const observed_step& step) { (void)step; }
};

}  // namespace rankpool::detail
