// The input of a map or reduction: batches of items on their way into a source, and the source that chunks are cut from.
//
// Consecutive integers are kept as their bounds and cost nothing. Other items are encoded on the caller's thread into batches,
// which are freed once they are cut, unless their tasks may run again.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace rankpool::detail {

/// Consecutive items that an input feed has read. Only `count` is set if the items need no encoding.
struct item_batch {
  std::uint64_t count = 0;
  byte_buffer bytes;                // the encoded items
  std::vector<std::uint64_t> ends;  // where each encoded item ends
  shared_references references;     // the shared values that the bytes refer to
};

/// Returns a copy of the items [first, first + count) of a batch.
item_batch part_of(const item_batch& batch, std::uint64_t first, std::uint64_t count);

/// The items of a map that were read and not yet sent, in input order.
class item_source {
 public:
  virtual ~item_source() = default;
  /// Adds items at the end.
  virtual void append(item_batch batch) = 0;
  /// Removes the next `count` items and writes them. `first`: the index of the first of them in the input.
  virtual void cut(byte_writer& out, std::uint64_t first, std::uint64_t count) = 0;
  /// From now on, keeps the items of each chunk that is cut, until forget(). Call it before the first cut.
  virtual void keep() = 0;
  /// Writes items of a chunk that was cut before. Requires keep().
  virtual void cut_again(byte_writer& out, std::uint64_t first, std::uint64_t count) = 0;
  /// Divides the kept chunk that contains these items into up to three chunks: the items before these, these, and those after.
  virtual void divide(std::uint64_t first, std::uint64_t count) = 0;
  /// The items of this chunk are not needed any more.
  virtual void forget(std::uint64_t first) = 0;
};

/// Consecutive integers. Only the first of a chunk is written.
template <class Integer>
class counted_source final : public item_source {
 public:
  explicit counted_source(Integer from) : from_(from) {}
  void append(item_batch) override {}
  void cut(byte_writer& out, std::uint64_t first, std::uint64_t) override {
    // Unsigned arithmetic, because a range may start below zero and end above the signed maximum.
    out.put<Integer>(static_cast<Integer>(static_cast<std::uint64_t>(from_) + first));
  }
  void keep() override {}
  void cut_again(byte_writer& out, std::uint64_t first, std::uint64_t count) override { cut(out, first, count); }
  void divide(std::uint64_t, std::uint64_t) override {}
  void forget(std::uint64_t) override {}

 private:
  Integer from_;
};

/// Encoded items.
class packed_source final : public item_source {
 public:
  void append(item_batch batch) override;
  void cut(byte_writer& out, std::uint64_t first, std::uint64_t count) override;
  void keep() override { keeps_ = true; }
  void cut_again(byte_writer& out, std::uint64_t first, std::uint64_t count) override;
  void divide(std::uint64_t first, std::uint64_t count) override;
  void forget(std::uint64_t first) override { kept_.erase(first); }

 private:
  std::map<std::uint64_t, item_batch>::iterator find_kept(std::uint64_t first, std::uint64_t count);
  void divide_at(std::uint64_t first);

  std::deque<item_batch> batches_;
  std::size_t at_ = 0;  // items of the front batch that are cut already
  bool keeps_ = false;
  std::map<std::uint64_t, item_batch> kept_;  // chunks that were cut, by first item
};

}  // namespace rankpool::detail
