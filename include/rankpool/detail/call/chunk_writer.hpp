// Writes the outcome of a map's chunk: the results of its items, and the exceptions of failed ones. map/chunk_reader reads it.
//
// In a runner process, an item_progress receives the outcomes item by item. An item that ends the process then costs only itself:
// the next runner continues with the item after it.
#pragma once

#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/bytes.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rankpool::detail {

/// Receives the progress of the chunk that the calling thread runs.
class item_progress {
 public:
  /// Returns the receiver of the calling thread, or null if no other process needs the progress.
  static item_progress* current() noexcept;

  /// Called before each item runs. Ends this process if it has run as many tasks as it may; another continues with the item.
  virtual void on_item() = 0;
  /// Called once by a chunk whose items have outcomes of their own. Returns the first item to run; earlier ones are complete.
  virtual std::uint64_t first_item() = 0;
  /// Keeps the outcomes of the items that have run since the last call. `next_item`: all items before it have outcomes now.
  virtual void keep(std::span<const std::byte> results, blocks_view out_of_band, std::span<const std::byte> failures,
                    std::uint64_t failed, std::uint64_t next_item) = 0;

 protected:
  ~item_progress() = default;
};

/// The place in which the calling thread notes the index of the item that it runs, within its chunk. Other processes can read it
/// when the thread's process has ended.
std::atomic<std::uint64_t>& item_note() noexcept;

/// Usage: for each item from first() on, begin() and then either write its result to the byte_writer or call fail(); at the end,
/// finish().
class chunk_writer {
 public:
  /// Lifetime: `out` must outlive the object.
  explicit chunk_writer(byte_writer& out);

  std::uint64_t first() const { return first_; }
  void begin(std::uint64_t item) {
    if (progress_ != nullptr) report(item);
    note_.store(item, std::memory_order_release);
    item_ = item;
    mark_ = out_.at();
  }
  /// Replaces what the item has written by the exception that is being handled.
  void fail();
  void finish();

 private:
  void report(std::uint64_t item);
  void hand_over(std::uint64_t next_item);

  byte_writer& out_;
  item_progress* const progress_;
  std::atomic<std::uint64_t>& note_;
  std::uint64_t first_ = 0;
  std::size_t length_at_ = 0;    // where the length of the results is
  byte_writer::position begin_;  // of the results
  byte_writer::position mark_;   // where the result of the current item begins
  std::uint64_t item_ = 0;       // the current one
  byte_buffer failures_;         // for each failed item: its index, and the length and encoding of its exception
  std::uint64_t failed_ = 0;
};

/// Appends a failed item to the encoded failures of a chunk. `exception`: encoded.
void append_failure(byte_writer& failures, std::uint64_t item, std::span<const std::byte> exception);
/// Appends a whole outcome to `out`, from its parts.
void write_chunk(byte_writer& out, std::span<const std::byte> results, std::span<const std::byte> failures, std::uint64_t failed);

}  // namespace rankpool::detail
