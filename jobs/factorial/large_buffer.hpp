// A buffer of uninitialized doubles, in huge pages if the system has them. Without huge pages, transforms of hundreds of megabytes
// spend much of their time on page faults and address translation.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

namespace jobs {

struct free_memory {
  void operator()(double* memory) const { std::free(memory); }
};
using large_buffer = std::unique_ptr<double[], free_memory>;

/// Allocates a buffer of `size` doubles. Throws: std::bad_alloc.
inline large_buffer make_large_buffer(std::size_t size) {
  constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;
  const std::size_t bytes = (size * sizeof(double) + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
  void* const memory = std::aligned_alloc(huge_page_bytes, bytes);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  ::madvise(memory, bytes, MADV_HUGEPAGE);  // a hint; failure does not matter
#endif
  return large_buffer(static_cast<double*>(memory));
}

}  // namespace jobs
