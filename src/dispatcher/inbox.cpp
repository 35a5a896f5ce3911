#include "dispatcher/inbox.hpp"

#include <algorithm>
#include <iterator>

namespace rankpool::detail {

void inbox::take(std::vector<event>& into) {
  std::lock_guard lock(mutex_);
  if (into.empty()) {  // both vectors keep their memory
    into.swap(events_);
    return;
  }
  std::ranges::move(events_, std::back_inserter(into));
  events_.clear();
}

bool inbox::empty() const {
  std::lock_guard lock(mutex_);
  return events_.empty();
}

void inbox::close() {
  std::lock_guard lock(mutex_);
  is_closed_ = true;
}

}  // namespace rankpool::detail
