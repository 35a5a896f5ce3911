// Computes C := A B or C += A B for blocks in memory: with OpenBLAS for floating-point types, with own loops for integers.
//
// Always single-threaded, because each worker has one core. Integers wrap around, as in numpy.
#pragma once

#include <cstdint>

namespace jobs {

/// A view of a block in memory.
template <class T>
struct block_view {
  const T* first = nullptr;
  std::uint64_t stride = 0;  // numbers between two rows; between two columns if by_columns
  bool by_columns = false;   // Fortran order
};

/// Returns whether BLAS, whose sizes are of type int, accepts this stride.
bool fits_blas(std::uint64_t stride);

/// Multiplies blocks of float or double; `inner` must be above 0. `c` has contiguous rows of `columns` numbers. One call of BLAS
/// handles at most `depth` of the inner dimension. Throws: std::runtime_error without OpenBLAS.
template <class T>
void multiply(const block_view<T>& a, const block_view<T>& b, T* c, std::uint64_t rows, std::uint64_t columns, std::uint64_t inner,
              bool add, std::uint64_t depth = std::uint64_t{1} << 30);

/// Multiplies blocks of int32 or int64 and adds the product to `c`. The rows of a, b and c are contiguous.
template <class T>
void multiply_and_add(const T* a, const T* b, T* c, std::uint64_t rows, std::uint64_t columns, std::uint64_t inner);

/// Configures OpenBLAS to start no threads. Call it before MPI starts, while the process has one thread.
void keep_blas_to_one_thread();

}  // namespace jobs
