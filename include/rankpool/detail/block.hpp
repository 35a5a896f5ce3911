// Large contiguous data, which travels beside its message: from where it lies into where it will lie.
//
// A block holds the object whose memory it is, a vector or a number, so that nothing is copied on the way: a moved
// argument or a result becomes a block, is sent from there, is received into an object of the same type, and that is
// moved out. Objects whose block has gone are kept for the next of their type, because touching fresh memory costs
// more than sending it.
#pragma once

#include <rankpool/detail/bytes.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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

/// How a type's memory is got at: bytes(value), resize(value, bytes), capacity(value) in bytes.
template <class V>
struct contiguous;

template <>
struct contiguous<byte_buffer> {
  static std::span<std::byte> bytes(byte_buffer& b) { return {b.data(), b.size()}; }
  static void resize(byte_buffer& b, std::uint64_t bytes) { b.resize(bytes); }
  static std::size_t capacity(const byte_buffer&) { return 0; }  // keeps its memory by itself
};

template <class T>
struct contiguous<std::vector<T>> {
  static std::span<std::byte> bytes(std::vector<T>& v) { return std::as_writable_bytes(std::span(v)); }
  static void resize(std::vector<T>& v, std::uint64_t bytes) {
    if (bytes % sizeof(T) != 0) throw serialization_error("a message holds a part of an element");
    if (bytes > v.capacity() * sizeof(T)) {
      v.clear();
      v.reserve(bytes / sizeof(T));
      advise_huge_pages(v.data(), bytes);
    }
    v.resize(bytes / sizeof(T));
  }
  static std::size_t capacity(const std::vector<T>& v) { return v.capacity() * sizeof(T); }
};

/// Objects of one type that are no longer needed, for their memory.
template <class V>
class spares {
 public:
  static void give(V value) noexcept {
    const std::size_t size = contiguous<V>::capacity(value);
    if (size < bulk_bytes || size > most_spare_bytes) return;
    std::lock_guard lock(mutex());
    auto& kept = all();
    while (!kept.empty() && spare_bytes + size > most_spare_bytes) {  // the oldest goes
      spare_bytes -= contiguous<V>::capacity(kept.front());
      kept.erase(kept.begin());
    }
    if (spare_bytes + size > most_spare_bytes) return;
    try {
      kept.push_back(std::move(value));
      spare_bytes += size;
    } catch (const std::bad_alloc&) {  // no memory for the list: let go
    }
  }

  /// One with room for so many bytes and not for many more, or a new one.
  static V take(std::uint64_t bytes) {
    V value{};
    {
      std::lock_guard lock(mutex());
      auto& kept = all();
      const auto fits = std::find_if(kept.rbegin(), kept.rend(), [&](const V& v) { return suits(contiguous<V>::capacity(v), bytes); });
      if (fits != kept.rend()) {
        spare_bytes -= contiguous<V>::capacity(*fits);
        value = std::move(*fits);
        kept.erase(std::next(fits).base());
      }
    }
    contiguous<V>::resize(value, bytes);
    return value;
  }

 private:
  // Never destroyed: a block may go later than objects of static storage.
  static std::mutex& mutex() {
    static auto& m = *new std::mutex;
    return m;
  }
  static std::vector<V>& all() {
    static auto& v = *new std::vector<V>;
    return v;
  }
};

template <class V>
class held final : public block {
 public:
  explicit held(V v) : value(std::move(v)) {}
  ~held() override { spares<V>::give(std::move(value)); }
  std::span<std::byte> bytes() override { return contiguous<V>::bytes(value); }
  maker make() const override { return &fresh; }

  static std::shared_ptr<block> fresh(std::uint64_t bytes) { return std::make_shared<held>(spares<V>::take(bytes)); }

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
  V copy = spares<V>::take(from->size());
  std::ranges::copy(from->bytes(), contiguous<V>::bytes(copy).begin());
  return copy;
}

}  // namespace rankpool::detail
