// Blocks: large contiguous data that is sent out of band, as a message of its own, without a copy.
//
// A block owns the object whose memory it sends, usually a vector. A moved argument or a result becomes a block. The transport
// sends its memory and receives it into a block of the same type, from which the object is moved out. When a block is destroyed,
// its vector goes to the buffer pool of its type.
#pragma once

#include <rankpool/detail/wire/buffer_pool.hpp>
#include <rankpool/detail/wire/bytes.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace rankpool::detail {

/// The size, in bytes, from which contiguous data is sent as a block.
inline constexpr std::size_t bulk_bytes = 64 << 10;

/// A type-erased owner of contiguous memory.
class block {
 public:
  /// A function that creates a block of the same type and of `bytes` bytes, also in another process.
  using maker = std::shared_ptr<block> (*)(std::uint64_t bytes);

  block() = default;
  block(const block&) = delete;
  block& operator=(const block&) = delete;
  virtual ~block() = default;
  virtual std::span<std::byte> bytes() = 0;
  virtual maker make() const = 0;

  std::byte* data() { return bytes().data(); }
  virtual std::size_t size() { return bytes().size(); }
};

using blocks = std::vector<std::shared_ptr<block>>;
using blocks_view = std::span<const std::shared_ptr<block>>;

/// Returns the sum of the sizes, in bytes.
inline std::size_t total_size(blocks_view all) {
  std::size_t sum = 0;
  for (const auto& b : all) sum += b->size();
  return sum;
}

/// Accesses, creates and recycles the memory of a type.
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
  static void recycle(byte_buffer&&) {}  // its deallocation returns the memory to the pool
};

template <class T>
struct contiguous<std::vector<T>> {
  static std::span<std::byte> bytes(std::vector<T>& v) { return std::as_writable_bytes(std::span(v)); }
  static std::vector<T> make(std::size_t size) {
    if (size % sizeof(T) != 0) throw serialization_error("message contains an incomplete element");
    auto v = kept::take(size).value_or(std::vector<T>());
    if (v.capacity() == 0) {
      v.reserve(size / sizeof(T));
      advise_huge_pages(v.data(), size);
    }
    v.resize(size / sizeof(T));
    return v;
  }
  static void recycle(std::vector<T>&& v) { kept::give(std::move(v)); }

 private:
  struct capacity {
    std::size_t operator()(const std::vector<T>& v) const { return v.capacity() * sizeof(T); }
  };
  using kept = buffer_pool<std::vector<T>, capacity>;
};

/// A block that owns an object of type V.
template <class V>
class held final : public block {
 public:
  explicit held(V v) : value(std::move(v)) {}
  ~held() override { contiguous<V>::recycle(std::move(value)); }
  std::span<std::byte> bytes() override { return contiguous<V>::bytes(value); }
  maker make() const override { return &fresh; }

  static std::shared_ptr<block> fresh(std::uint64_t bytes) { return std::make_shared<held>(contiguous<V>::make(bytes)); }

  V value;
};

/// Returns the object that a block owns. Throws: serialization_error if it has another type.
template <class V>
V& held_in(block& b) {
  auto* const mine = dynamic_cast<held<V>*>(&b);
  if (mine == nullptr) throw serialization_error("message contains data of another type than expected");
  return mine->value;
}

/// Returns the object that a block owns: moved out if there is no other reference to the block, otherwise copied.
/// Throws: serialization_error if it has another type.
template <class V>
V take_from(const std::shared_ptr<block>& from) {
  V& mine = held_in<V>(*from);
  if (from.use_count() == 1) {
    std::atomic_thread_fence(std::memory_order_acquire);  // other threads read the block before they released it
    return std::move(mine);
  }
  V copy = contiguous<V>::make(from->size());
  std::ranges::copy(from->bytes(), contiguous<V>::bytes(copy).begin());
  return copy;
}

}  // namespace rankpool::detail
