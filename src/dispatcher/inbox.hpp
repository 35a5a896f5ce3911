// Events on their way from the threads of the program to the dispatcher.
#pragma once

#include "dispatcher/event.hpp"

#include <mutex>
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
  posted post(event e);
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
