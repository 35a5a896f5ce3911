#include <rankpool/detail/bytes.hpp>

#include <sys/mman.h>

namespace rankpool::detail {

std::byte* byte_buffer::allocate(std::size_t& capacity) {
  constexpr std::size_t huge_page = 2 << 20;
  if (capacity < 2 * huge_page) {
    void* p = std::malloc(capacity);
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(p);
  }
  if (capacity > SIZE_MAX - huge_page) throw std::bad_alloc();
  capacity = (capacity + huge_page - 1) / huge_page * huge_page;
  void* p = std::aligned_alloc(huge_page, capacity);
  if (p == nullptr) throw std::bad_alloc();
  (void)madvise(p, capacity, MADV_HUGEPAGE);  // advice: where it is not taken, nothing is lost
  return static_cast<std::byte*>(p);
}

}  // namespace rankpool::detail
