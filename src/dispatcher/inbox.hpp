// Events on their way from the threads of the program to the dispatcher.
#pragma once

#include "dispatcher/event.hpp"

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// Thread safety: all functions, from any thread.
class inbox {
 public:
  enum class posted : std::uint8_t {
    refused,  ///< the inbox is closed: the event is dropped
    first,    ///< the inbox was empty
    behind,   ///< the inbox holds earlier events, so the dispatcher is about to take them
  };
  /// `e`: one of the types of event.
  template <class Event>
  posted post(Event&& e) {
    std::lock_guard lock(mutex_);
    if (is_closed_) return posted::refused;
    events_.emplace_back(std::forward<Event>(e));
    return events_.size() == 1 ? posted::first : posted::behind;
  }
  /// Moves all events to the end of `into`.
  void take(std::vector<event>& into);
  bool empty() const;
  /// No event is accepted any more. One that was kept would keep its job, and the job the pool.
  void close();

 private:
  mutable std::mutex mutex_;
  std::vector<event> events_;
  bool is_closed_ = false;
};

}  // namespace rankpool::detail
