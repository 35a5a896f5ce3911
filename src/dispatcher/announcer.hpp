// Notifies the threads that wait for a result and do not drive the pool.
#pragma once

#include <rankpool/detail/dispatcher/wait_room.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace rankpool::detail {

class announcer {
 public:
  // ---- from the driving thread

  /// Announces at the next announce_deferred(): once for all that a step completes.
  void defer() { is_deferred_ = true; }
  bool has_deferred() const { return is_deferred_; }
  void announce_deferred();

  // ---- from any thread

  void announce();
  /// Announcements so far.
  std::uint64_t count() const;
  /// Blocks until there is an announcement after the first `seen`, until ready(), or until the deadline.
  void wait(std::uint64_t seen, steady_time deadline, condition_ref ready);

 private:
  bool is_deferred_ = false;
  mutable std::mutex mutex_;
  std::condition_variable announced_;
  std::uint64_t count_ = 0;
};

}  // namespace rankpool::detail
