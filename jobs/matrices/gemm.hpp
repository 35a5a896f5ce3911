// C := A B, or C += A B, for blocks in memory: OpenBLAS where it has the type, an own loop for whole numbers.
//
// One thread, always: a worker is one core. Whole numbers wrap around as numpy's do.
#pragma once

#include <cstdint>

namespace jobs {

/// A block as it lies in memory.
template <class T>
struct block_view {
  const T* first = nullptr;
  std::uint64_t stride = 0;  // numbers between two rows, or two columns
  bool by_columns = false;   // Fortran order
};

/// Whether BLAS, which counts in int, can be given this stride.
bool fits_blas(std::uint64_t stride);

/// For float and double, and `inner` above 0. `c`: rows one after another, `columns` numbers each. BLAS is given `depth` of the
/// inner dimension at most at once. Throws: std::runtime_error without OpenBLAS.
template <class T>
void multiply(const block_view<T>& a, const block_view<T>& b, T* c, std::uint64_t rows, std::uint64_t columns, std::uint64_t inner,
              bool add, std::uint64_t depth = std::uint64_t{1} << 30);

/// For int32 and int64. Adds to `c`; a, b and c have their rows one after another without gaps.
template <class T>
void multiply_and_add(const T* a, const T* b, T* c, std::uint64_t rows, std::uint64_t columns, std::uint64_t inner);

/// Has OpenBLAS start no threads of its own. To be called before MPI starts, while there is one thread.
void keep_blas_to_one_thread();

}  // namespace jobs
