// How often a worker says what it has done while it has more to do.
#pragma once

#include <algorithm>
#include <chrono>

namespace rankpool::detail {

struct worker_pace {
  /// A task that takes longer gets an attendant, who sends what was finished before it.
  static constexpr std::chrono::milliseconds attend_after{2};

  /// Results wait no longer than this while others are computed. The more workers, the longer: each message costs
  /// rank 0 about a microsecond, and it should spend at most a third of its time on them.
  static std::chrono::nanoseconds for_workers(int workers) {
    return std::max<std::chrono::nanoseconds>(std::chrono::microseconds(200), std::chrono::microseconds(4) * workers);
  }
};

}  // namespace rankpool::detail
