// The interface through which the dispatcher reports what becomes of chunks: for statistics, journals and traces.
#pragma once

#include "scheduler/scheduler.hpp"

#include <rankpool/detail/scheduler/job.hpp>

#include <cstdint>

namespace rankpool::detail {

/// Called on the driving thread, in order. A function must not block, and must not call the pool.
class dispatch_observer {
 public:
  dispatch_observer() = default;
  dispatch_observer(const dispatch_observer&) = delete;
  dispatch_observer& operator=(const dispatch_observer&) = delete;
  virtual ~dispatch_observer() = default;

  /// A chunk is on its way to a worker.
  virtual void on_sent(const effects::send_task& chunk) { (void)chunk; }
  /// A worker runs a chunk, which takes long.
  virtual void on_started(chunk_id id, worker_index where) { (void)id, (void)where; }
  /// A chunk has a result or an exception, before its job learns of it.
  virtual void on_finished(const effects::completion& chunk, worker_index where, const outcome& result) {
    (void)chunk, (void)where, (void)result;
  }
  /// A worker has returned a chunk that it had not started.
  virtual void on_recalled(chunk_id id, worker_index from) { (void)id, (void)from; }
  /// The CPU time that a worker's process has used since its start.
  virtual void on_cpu_time(worker_index where, std::uint64_t nanoseconds) { (void)where, (void)nanoseconds; }
};

}  // namespace rankpool::detail
