// Counts uses of something, and waits until there are none.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace rankpool::detail {

/// Thread safety: any thread may call any function.
class uses : public std::enable_shared_from_this<uses> {
 public:
  /// Begins a use, which ends when the returned pointer is released.
  std::shared_ptr<void> add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    return {nullptr, [self = shared_from_this()](void*) { self->remove(); }};
  }
  /// Waits until there is no use, at most for a time. Returns whether there is none.
  bool await_none(std::chrono::nanoseconds at_most) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, at_most, [this] { return count_ == 0; });
  }

 private:
  void remove() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t count_ = 0;
};

}  // namespace rankpool::detail
