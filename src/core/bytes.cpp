#include <rankpool/detail/bytes.hpp>
#include <rankpool/detail/spares.hpp>

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
  if (last > first) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);  // where it is not taken, nothing is lost
}

namespace {

// Memory of a large buffer.
struct piece_of_heap {
  struct free_it {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, free_it> memory;
  std::size_t capacity;
};
struct capacity_of {
  std::size_t operator()(const piece_of_heap& p) const { return p.capacity; }
};
using kept = spares<piece_of_heap, capacity_of>;

constexpr std::size_t least_kept = 2 * huge_page;

}  // namespace

std::byte* byte_buffer::allocate(std::size_t& capacity) {
  if (capacity < least_kept) {
    void* p = std::malloc(capacity);
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(p);
  }
  if (capacity > SIZE_MAX - huge_page) throw std::bad_alloc();
  capacity = (capacity + huge_page - 1) / huge_page * huge_page;
  if (auto spare = kept::take(capacity)) {
    capacity = spare->capacity;
    return spare->memory.release();
  }
  void* p = std::aligned_alloc(huge_page, capacity);
  if (p == nullptr) throw std::bad_alloc();
  advise_huge_pages(p, capacity);
  return static_cast<std::byte*>(p);
}

void byte_buffer::deallocate(std::byte* memory, std::size_t capacity) noexcept {
  piece_of_heap gone{std::unique_ptr<std::byte, piece_of_heap::free_it>(memory), capacity};
  if (capacity >= least_kept) kept::give(std::move(gone));
}

}  // namespace rankpool::detail
