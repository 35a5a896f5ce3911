#include <rankpool/detail/bytes.hpp>

#include <sys/mman.h>

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

std::byte* byte_buffer::allocate(std::size_t& capacity) {
  if (capacity < 2 * huge_page) {
    void* p = std::malloc(capacity);
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(p);
  }
  if (capacity > SIZE_MAX - huge_page) throw std::bad_alloc();
  capacity = (capacity + huge_page - 1) / huge_page * huge_page;
  void* p = std::aligned_alloc(huge_page, capacity);
  if (p == nullptr) throw std::bad_alloc();
  advise_huge_pages(p, capacity);
  return static_cast<std::byte*>(p);
}

}  // namespace rankpool::detail
