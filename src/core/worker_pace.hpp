// How often a worker says what it has done while it has more to do.
#pragma once

#include <algorithm>
#include <chrono>

namespace rankpool::detail {

struct worker_pace {
  /// Results wait no longer than this while others are computed.
  std::chrono::nanoseconds flush_after;
  /// A task that takes longer gets an attendant, who sends what was finished before it.
  std::chrono::nanoseconds attend_after;

  /// For each message, rank 0 may take a worker's core away. The more workers, the rarer they are: a message costs it
  /// about a microsecond, and it should spend at most a third of its time on them. Attendants need a core as well, and
  /// where workers share one, they must not be what keeps it busy.
  static worker_pace for_workers(int workers, double workers_per_core = 1) {
    using std::chrono::microseconds;
    return {std::max(microseconds(1000), microseconds(4) * workers),
            microseconds(static_cast<long>(4000 * std::max(1.0, workers_per_core)))};
  }
};

}  // namespace rankpool::detail
