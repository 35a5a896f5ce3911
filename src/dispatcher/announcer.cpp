#include "dispatcher/announcer.hpp"

#include <utility>

namespace rankpool::detail {

void announcer::announce_deferred() {
  if (std::exchange(is_deferred_, false)) announce();
}

void announcer::announce() {
  {
    std::lock_guard lock(mutex_);
    ++count_;
  }
  announced_.notify_all();
}

std::uint64_t announcer::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

void announcer::wait(std::uint64_t seen, steady_time deadline, condition_ref ready) {
  std::unique_lock lock(mutex_);
  if (count_ != seen || ready()) return;
  announced_.wait_until(lock, deadline);
}

}  // namespace rankpool::detail
