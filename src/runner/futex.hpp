// Waits on a number in shared memory until another process changes it.
#pragma once

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>

namespace rankpool::detail {

/// Blocks: until futex_wake() is called after `word` has changed from `seen`, or until the time is over; it may return earlier.
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::chrono::nanoseconds limit) {
  if (limit.count() <= 0) return;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(limit);
  timespec time{};
  time.tv_sec = static_cast<time_t>(seconds.count());
  time.tv_nsec = static_cast<long>((limit - seconds).count());
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, seen, &time, nullptr, 0);
}

/// Polls for some tens of microseconds: as long as a task takes from one worker's answer to rank 0's next task. Returns whether
/// `word` has changed from `seen`.
inline bool look(const std::atomic<std::uint32_t>& word, std::uint32_t seen) {
  constexpr int looks = 150;
  for (int i = 0; i < looks; ++i) {
    if (word.load() != seen) return true;
    sched_yield();
  }
  return false;
}

inline void futex_wake(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace rankpool::detail
