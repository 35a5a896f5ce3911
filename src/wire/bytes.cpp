// The memory of byte_buffer: huge pages and the buffer pool.
#include <rankpool/detail/wire/buffer_pool.hpp>
#include <rankpool/detail/wire/bytes.hpp>

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

namespace rankpool::detail {
namespace {
constexpr std::size_t huge_page = 2 << 20;
}

void advise_huge_pages(void* data, std::size_t size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (begin + huge_page - 1) / huge_page * huge_page;
  const std::uintptr_t last = (begin + size) / huge_page * huge_page;
  if (last > first)
    (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);  // only an optimisation: errors are ignored
}

namespace {

// The memory of a large buffer.
struct heap_block {
  struct free_it {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, free_it> memory;
  std::size_t capacity;
};
struct capacity_of {
  std::size_t operator()(const heap_block& p) const { return p.capacity; }
};
using heap_pool = buffer_pool<heap_block, capacity_of>;

constexpr std::size_t min_pooled_bytes = 2 * huge_page;

}  // namespace

std::byte* byte_buffer::allocate(std::size_t& capacity) {
  if (capacity < min_pooled_bytes) {
    void* p = std::malloc(capacity);
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(p);
  }
  if (capacity > SIZE_MAX - huge_page) throw std::bad_alloc();
  capacity = (capacity + huge_page - 1) / huge_page * huge_page;
  if (auto reused = heap_pool::take(capacity)) {
    capacity = reused->capacity;
    return reused->memory.release();
  }
  void* p = std::aligned_alloc(huge_page, capacity);
  if (p == nullptr) throw std::bad_alloc();
  advise_huge_pages(p, capacity);
  return static_cast<std::byte*>(p);
}

void byte_buffer::deallocate(std::byte* memory, std::size_t capacity) noexcept {
  heap_block released{std::unique_ptr<std::byte, heap_block::free_it>(memory), capacity};
  if (capacity >= min_pooled_bytes) heap_pool::give(std::move(released));
}

void byte_reader::truncated(std::uint64_t wanted) const {
  if (lost_)
    throw serialization_error("a value before it in the same chunk could not be read, and the end of that value is unknown");
  throw serialization_error("message ends too early: " + std::to_string(wanted) + " more expected, " + std::to_string(remaining()) +
                            " bytes left");
}

void byte_reader::too_long() const { throw serialization_error(std::to_string(remaining()) + " bytes too many in a message"); }

}  // namespace rankpool::detail
