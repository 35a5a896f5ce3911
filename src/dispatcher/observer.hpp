// The interface through which the dispatcher reports what happens at the workers.
#pragma once

#include "scheduler/effects.hpp"

#include <rankpool/detail/scheduler/chunk_observer.hpp>
#include <rankpool/detail/wire/worker_place.hpp>

#include <cstdint>
#include <string>

namespace rankpool::detail {

/// Observes the chunks of all jobs, and the workers. A job may have an observer of its own (job::observer).
class dispatch_observer : public chunk_observer {
 public:
  /// Reports the CPU time that the process of a worker has used since its start.
  virtual void on_cpu_time(worker_index where, std::uint64_t nanoseconds) { (void)where, (void)nanoseconds; }
  /// A worker was lost, and with it `tasks` tasks and items that it had not finished. `cause`: its end, as a part of a sentence.
  virtual void on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) {
    (void)where, (void)cause, (void)tasks;
  }
};

}  // namespace rankpool::detail
