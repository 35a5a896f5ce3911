// Large contiguous data, which travels beside its message: from where it lies into where it will lie.
//
// A block holds the object whose memory it is, a vector as a rule, so that nothing is copied on the way: a moved
// argument or a result becomes a block, is sent from there, is received into an object of the same type, and that is
// moved out. Vectors whose block has gone are kept for the next of their type.
#pragma once

#include <rankpool/detail/bytes.hpp>
#include <rankpool/detail/spares.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// Contiguous data from this size on travels as a block, in bytes.
inline constexpr std::size_t bulk_bytes = 64 << 10;

class block {
 public:
  /// Makes an empty one of the same type and of so many bytes, somewhere else.
  using maker = std::shared_ptr<block> (*)(std::uint64_t bytes);

  block() = default;
  block(const block&) = delete;
  block& operator=(const block&) = delete;
  virtual ~block() = default;
  virtual std::span<std::byte> bytes() = 0;
  virtual maker make() const = 0;

  std::byte* data() { return bytes().data(); }
  std::size_t size() { return bytes().size(); }
};

using blocks = std::vector<std::shared_ptr<block>>;
using blocks_view = std::span<const std::shared_ptr<block>>;

inline std::size_t total_size(blocks_view all) {
  std::size_t sum = 0;
  for (const auto& b : all) sum += b->size();
  return sum;
}

/// How a type's memory is got at, made and let go of.
template <class V>
struct contiguous;

template <>
struct contiguous<byte_buffer> {
  static std::span<std::byte> bytes(byte_buffer& b) { return {b.data(), b.size()}; }
  static byte_buffer make(std::size_t size) {
    byte_buffer b;
    b.resize(size);
    return b;
  }
  static void let_go(byte_buffer&&) {}  // keeps its memory by itself
};

template <class T>
struct contiguous<std::vector<T>> {
  static std::span<std::byte> bytes(std::vector<T>& v) { return std::as_writable_bytes(std::span(v)); }
  static std::vector<T> make(std::size_t size) {
    if (size % sizeof(T) != 0) throw serialization_error("a message holds a part of an element");
    auto v = kept::take(size).value_or(std::vector<T>());
    if (v.capacity() == 0) {
      v.reserve(size / sizeof(T));
      advise_huge_pages(v.data(), size);
    }
    v.resize(size / sizeof(T));
    return v;
  }
  static void let_go(std::vector<T>&& v) { kept::give(std::move(v)); }

 private:
  struct capacity {
    std::size_t operator()(const std::vector<T>& v) const { return v.capacity() * sizeof(T); }
  };
  using kept = spares<std::vector<T>, capacity>;
};

template <class V>
class held final : public block {
 public:
  explicit held(V v) : value(std::move(v)) {}
  ~held() override { contiguous<V>::let_go(std::move(value)); }
  std::span<std::byte> bytes() override { return contiguous<V>::bytes(value); }
  maker make() const override { return &fresh; }

  static std::shared_ptr<block> fresh(std::uint64_t bytes) { return std::make_shared<held>(contiguous<V>::make(bytes)); }

  V value;
};

/// The object that is in a block. Throws serialization_error if it is another type.
template <class V>
V& held_in(block& b) {
  auto* const mine = dynamic_cast<held<V>*>(&b);
  if (mine == nullptr) throw serialization_error("a message holds data of another type than was to come");
  return mine->value;
}

/// The object that is in a block, moved out if nobody else has the block. Throws as above.
template <class V>
V take_from(const std::shared_ptr<block>& from) {
  V& mine = held_in<V>(*from);
  if (from.use_count() == 1) {
    std::atomic_thread_fence(std::memory_order_acquire);  // whoever has let go of it has read it before
    return std::move(mine);
  }
  V copy = contiguous<V>::make(from->size());
  std::ranges::copy(from->bytes(), contiguous<V>::bytes(copy).begin());
  return copy;
}

}  // namespace rankpool::detail
