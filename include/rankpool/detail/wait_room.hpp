// Where threads of rank 0 wait for something of the pool to complete.
//
// A thread that is itself the one that moves the pool on (a callback that waits, any wait in an inline cluster)
// must not sleep but drive; every other thread sleeps until a completion it asked for is announced.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace rankpool::detail {

using steady_time = std::chrono::steady_clock::time_point;
using timeout = std::optional<std::chrono::nanoseconds>;

/// The point in time at which a timeout that starts now is up; none and the very long ones: never.
inline steady_time deadline_after(const timeout& t) {
  if (!t) return steady_time::max();
  const auto now = std::chrono::steady_clock::now();
  return *t > steady_time::max() - now ? steady_time::max() : now + *t;
}

class wait_room {
 public:
  virtual ~wait_room() = default;

  /// Blocks until ready() or the deadline; returns ready(). `ready` must be safe to call from this thread at any time.
  template <class Ready>
  bool wait_until(steady_time deadline, Ready ready) {
    while (!ready()) {
      if (deadline != steady_time::max() && std::chrono::steady_clock::now() >= deadline) return false;
      const std::uint64_t seen = announcements();
      if (drive(deadline)) continue;
      std::unique_lock lock(mutex_);
      if (announcements_ != seen || ready()) continue;
      if (deadline == steady_time::max()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, deadline);
      }
    }
    return true;
  }

  /// Wakes the waiting threads; call after the change is visible.
  void notify() {
    {
      std::lock_guard lock(mutex_);
      ++announcements_;
    }
    changed_.notify_all();
  }

  /// One step of the pool on this thread, where this thread is the one to take it; false: sleep instead.
  virtual bool drive(steady_time deadline) = 0;

 private:
  std::uint64_t announcements() {
    std::lock_guard lock(mutex_);
    return announcements_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t announcements_ = 0;
};

}  // namespace rankpool::detail
