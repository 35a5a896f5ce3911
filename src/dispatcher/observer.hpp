// The interface through which the dispatcher reports what happens at the workers.
#pragma once

#include "scheduler/effects.hpp"

#include <rankpool/detail/scheduler/chunk_observer.hpp>

#include <cstdint>

namespace rankpool::detail {

/// Observes the chunks of all jobs, and the workers. A job may have an observer of its own (job::observer).
class dispatch_observer : public chunk_observer {
 public:
  /// Reports the CPU time that the process of a worker has used since its start.
  virtual void on_cpu_time(worker_index where, std::uint64_t nanoseconds) { (void)where, (void)nanoseconds; }
};

}  // namespace rankpool::detail
