// Sets who learns of the items that the calling thread runs: an item_progress, or a note in memory.
#pragma once

#include <rankpool/detail/call/chunk_writer.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace rankpool::detail {

inline thread_local item_progress* current_progress = nullptr;
inline thread_local std::atomic<std::uint64_t>* current_item_note = nullptr;  // null: nobody reads it

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

/// The calling thread notes the items that it runs in `note` while the object lives.
class item_note_scope {
 public:
  explicit item_note_scope(std::atomic<std::uint64_t>& note) : before_(std::exchange(current_item_note, &note)) {}
  item_note_scope(const item_note_scope&) = delete;
  item_note_scope& operator=(const item_note_scope&) = delete;
  ~item_note_scope() { current_item_note = before_; }

 private:
  std::atomic<std::uint64_t>* before_;
};

}  // namespace rankpool::detail
