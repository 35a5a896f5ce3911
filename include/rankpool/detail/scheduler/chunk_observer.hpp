// The interface through which the pool reports the progress of chunks: for statistics, journals and traces.
#pragma once

#include <chrono>
#include <cstdint>

namespace rankpool::detail {

class job;
struct outcome;

/// A chunk of a job at a worker. Workers are numbered from 0, in the order of their ranks.
struct observed_chunk {
  const job& work;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  int worker = 0;
  /// When it has ended, on the steady clock of the worker's node; 0 if the worker does not report that.
  std::chrono::nanoseconds ended{};
};

/// Called on the thread that drives the pool, in order. Each on_sent() is followed by exactly one of on_recalled(), on_finished()
/// and on_abandoned(). A function must not wait for anything, and must not run tasks or callbacks.
class chunk_observer {
 public:
  chunk_observer() = default;
  chunk_observer(const chunk_observer&) = delete;
  chunk_observer& operator=(const chunk_observer&) = delete;
  virtual ~chunk_observer() = default;

  /// The chunk is being sent to the worker.
  virtual void on_sent(const observed_chunk& chunk) { (void)chunk; }
  /// The worker has reported that it runs the chunk. Workers report only chunks that take long.
  virtual void on_started(const observed_chunk& chunk) { (void)chunk; }
  /// The worker does not have the chunk any more: it returns the chunk, which it has not started, or it was lost.
  virtual void on_recalled(const observed_chunk& chunk) { (void)chunk; }
  /// The worker has returned a result or an exception, which the job receives next. The observer of the job may replace it. Also
  /// called after on_recalled() if the chunk has ended too many workers: `result` is the exception worker_lost then.
  virtual void on_finished(const observed_chunk& chunk, outcome& result) { (void)chunk, (void)result; }
  /// The chunk fails without an answer from the worker, because its executor is broken or the pool ends.
  virtual void on_abandoned(const observed_chunk& chunk) { (void)chunk; }
};

}  // namespace rankpool::detail
