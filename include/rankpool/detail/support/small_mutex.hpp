// A mutex of four bytes, for objects of which there are millions.
//
// It uses a futex through std::atomic::wait, so it makes no system call without contention. It is neither fair nor recursive.
#pragma once

#include <atomic>
#include <cstdint>

namespace rankpool::detail {

/// A mutex of four bytes. Meets BasicLockable.
class small_mutex {
 public:
  void lock() noexcept {
    int expected = free_;
    if (state_.compare_exchange_strong(expected, held_, std::memory_order_acquire)) return;
    while (state_.exchange(contended_, std::memory_order_acquire) != free_) state_.wait(contended_, std::memory_order_relaxed);
  }

  void unlock() noexcept {
    if (state_.exchange(free_, std::memory_order_release) == contended_) state_.notify_one();
  }

 private:
  static constexpr int free_ = 0;
  static constexpr int held_ = 1;
  static constexpr int contended_ = 2;  // another thread may be waiting
  std::atomic<int> state_ = free_;
};

}  // namespace rankpool::detail
