// Uninitialised memory for keys, in huge pages where the system has them, that can grow.
//
// Of what is asked for, only the pages that are written to are ever taken from the system.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace jobs {

template <class Key>
class key_buffer {
 public:
  /// Throws: std::bad_alloc.
  explicit key_buffer(std::size_t capacity) : capacity_(capacity), keys_(allocate(capacity)) {}

  Key* data() { return keys_.get(); }
  std::span<Key> first(std::size_t n) { return {keys_.get(), n}; }

  /// Room for at least `needed` keys, of which the first `used` stay. Throws: std::bad_alloc.
  void make_room(std::size_t needed, std::size_t used) {
    if (needed <= capacity_) return;
    const std::size_t capacity = std::max(needed, capacity_ + capacity_ / 4);
    auto larger = allocate(capacity);
    std::memcpy(larger.get(), keys_.get(), used * sizeof(Key));
    keys_ = std::move(larger);
    capacity_ = capacity;
  }

 private:
  struct release {
    void operator()(Key* memory) const { std::free(memory); }
  };
  using memory = std::unique_ptr<Key[], release>;

  static memory allocate(std::size_t capacity) {
    constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;
    const std::size_t bytes = (capacity * sizeof(Key) / huge_page_bytes + 1) * huge_page_bytes;
    void* const taken = std::aligned_alloc(huge_page_bytes, bytes);
    if (taken == nullptr) throw std::bad_alloc();
    ::madvise(taken, bytes, MADV_HUGEPAGE);  // a wish: without it all works as well
    return memory(static_cast<Key*>(taken));
  }

  std::size_t capacity_;
  memory keys_;
};

}  // namespace jobs
