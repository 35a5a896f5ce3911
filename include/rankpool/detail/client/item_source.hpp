// The input of a map or reduction as rank 0 keeps it until it is cut into chunks.
//
// Consecutive integers are kept as their bounds and cost nothing; anything else is encoded on the caller's
// thread, item by item, into blocks that are dropped once cut.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>

#include <cstdint>
#include <deque>
#include <vector>

namespace rankpool::detail {

class item_source {
 public:
  virtual ~item_source() = default;
  /// Writes the items [first, first + count); called with rising `first`, each item once.
  virtual void cut(byte_writer& out, std::uint64_t first, std::uint64_t count) = 0;
};

template <class Integer>
class counted_source final : public item_source {
 public:
  explicit counted_source(Integer from) : from_(from) {}
  void cut(byte_writer& out, std::uint64_t first, std::uint64_t) override {
    // In unsigned arithmetic: a range that starts below zero and ends above the signed maximum is legal.
    out.put<Integer>(static_cast<Integer>(static_cast<std::uint64_t>(from_) + first));
  }

 private:
  Integer from_;
};

/// Encoded items and where each ends.
struct item_block {
  byte_buffer bytes;
  std::vector<std::uint64_t> ends;
};

class packed_source final : public item_source {
 public:
  void append(item_block block);
  void cut(byte_writer& out, std::uint64_t first, std::uint64_t count) override;

 private:
  std::deque<item_block> blocks_;
  std::size_t at_ = 0;  // items of the front block that are cut already
};

}  // namespace rankpool::detail
