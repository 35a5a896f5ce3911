// Makes an item_progress the receiver of the calling thread.
#pragma once

#include <rankpool/detail/call/chunk_writer.hpp>

#include <utility>

namespace rankpool::detail {

inline thread_local item_progress* current_progress = nullptr;

/// Passes the progress of the tasks of the calling thread to `receiver` while the object lives.
class item_scope {
 public:
  explicit item_scope(item_progress* receiver) : before_(std::exchange(current_progress, receiver)) {}
  item_scope(const item_scope&) = delete;
  item_scope& operator=(const item_scope&) = delete;
  ~item_scope() { current_progress = before_; }

 private:
  item_progress* before_;
};

}  // namespace rankpool::detail
