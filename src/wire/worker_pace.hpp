// How often a worker sends results while it has more tasks.
#pragma once

#include <algorithm>
#include <chrono>

namespace rankpool::detail {

/// The intervals at which a worker sends results.
struct worker_pace {
  /// The longest time that a finished result waits while the worker runs other tasks.
  std::chrono::nanoseconds flush_after;
  /// When a task takes longer than this, the attendant thread sends the results that were finished before it.
  std::chrono::nanoseconds attend_after;

  /// Returns the intervals for a number of workers.
  ///
  /// Rank 0 may take a core away from a worker for every message. A message costs rank 0 about a microsecond, and it should spend
  /// at most a third of its time on messages, so more workers send less often. An attendant thread needs a core as well. If workers
  /// share cores, their attendants run less often.
  static worker_pace for_workers(int workers, double workers_per_core = 1) {
    using std::chrono::microseconds;
    return {std::max(microseconds(1000), microseconds(4) * workers),
            microseconds(static_cast<long>(4000 * std::max(1.0, workers_per_core)))};
  }
};

}  // namespace rankpool::detail
