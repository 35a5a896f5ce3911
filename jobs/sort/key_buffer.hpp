// A growing buffer of uninitialized memory for keys, in huge pages if the system has them.
//
// Only pages that are written to occupy physical memory. A thread reuses the memory of its last buffer, because the kernel zeroes
// every new page, which costs a fifth of the time of the sort.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace jobs {

namespace detail {

struct free_memory {
  void operator()(std::byte* memory) const { std::free(memory); }
};

/// A block of memory that is aligned to a huge page.
struct key_memory {
  std::unique_ptr<std::byte[], free_memory> bytes;
  std::size_t size = 0;

  key_memory() = default;
  explicit key_memory(std::size_t least) {
    constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;
    size = (least / huge_page_bytes + 1) * huge_page_bytes;
    bytes.reset(static_cast<std::byte*>(std::aligned_alloc(huge_page_bytes, size)));
    if (bytes == nullptr) throw std::bad_alloc();
    ::madvise(bytes.get(), size, MADV_HUGEPAGE);  // a hint; failure does not matter
  }
};

inline key_memory& spare_key_memory() {
  static thread_local key_memory spare;
  return spare;
}

}  // namespace detail

template <class Key>
class key_buffer {
 public:
  /// Allocates room for `capacity` keys. Throws: std::bad_alloc.
  explicit key_buffer(std::size_t capacity) : memory_(std::exchange(detail::spare_key_memory(), {})) {
    if (memory_.size >= capacity * sizeof(Key)) return;
    memory_ = {};  // frees the old block first
    memory_ = detail::key_memory(capacity * sizeof(Key));
  }
  ~key_buffer() { detail::spare_key_memory() = std::move(memory_); }
  key_buffer(const key_buffer&) = delete;
  key_buffer& operator=(const key_buffer&) = delete;

  Key* data() { return reinterpret_cast<Key*>(memory_.bytes.get()); }
  std::span<Key> first(std::size_t n) { return {data(), n}; }

  /// Grows the buffer to at least `needed` keys and keeps the first `used` keys. Throws: std::bad_alloc.
  void make_room(std::size_t needed, std::size_t used) {
    if (needed * sizeof(Key) <= memory_.size) return;
    detail::key_memory larger(std::max(needed * sizeof(Key), memory_.size + memory_.size / 4));
    std::memcpy(larger.bytes.get(), data(), used * sizeof(Key));
    memory_ = std::move(larger);
  }

 private:
  detail::key_memory memory_;
};

}  // namespace jobs
