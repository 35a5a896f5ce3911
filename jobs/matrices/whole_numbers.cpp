// Products of integer matrices, which BLAS does not offer. Registers hold four rows by two vectors of c; b is read in strips that
// are packed to stay in the L2 cache.
//
// Vectors have 32 bytes; for narrower registers, the compiler splits them.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "matrices/gemm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "matrices/whole_numbers.cpp"
#include "support/vector_targets.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace jobs::HWY_NAMESPACE {
namespace {

constexpr std::uint64_t row_group = 4;
constexpr std::uint64_t strip_depth = 512;

// Unsigned integers, because these wrap around.
using int32_line [[gnu::vector_size(32)]] = std::uint32_t;
using int64_line [[gnu::vector_size(32)]] = std::uint64_t;

/// Computes c[r][0..W) += a[r][k] * strip[k][0..W) for r < Rows and all k < depth; W is the length of two vectors.
template <class Line, std::uint64_t Rows, class U>
HWY_INLINE void add_products(const U* a, std::uint64_t a_stride, const U* strip, U* c, std::uint64_t c_stride,
                             std::uint64_t depth) {
  constexpr std::uint64_t width = 2 * sizeof(Line) / sizeof(U);
  Line sums[Rows][2] = {};
  for (std::uint64_t k = 0; k < depth; ++k) {
    Line lines[2];
    std::memcpy(lines, strip + k * width, sizeof lines);  // the strip may be unaligned
    for (std::uint64_t r = 0; r < Rows; ++r) {
      const U factor = a[r * a_stride + k];
      sums[r][0] += factor * lines[0];
      sums[r][1] += factor * lines[1];
    }
  }
  for (std::uint64_t r = 0; r < Rows; ++r) {
    Line target[2];
    std::memcpy(target, c + r * c_stride, sizeof target);
    target[0] += sums[r][0];
    target[1] += sums[r][1];
    std::memcpy(c + r * c_stride, target, sizeof target);
  }
}

template <class Line, class U>
HWY_INLINE void multiply_strips(const U* a, const U* b, U* c, std::uint64_t rows, std::uint64_t columns, std::uint64_t inner) {
  constexpr std::uint64_t width = 2 * sizeof(Line) / sizeof(U);
  std::vector<U> strip(strip_depth * width);
  for (std::uint64_t first = 0; first < inner; first += strip_depth) {
    const std::uint64_t depth = std::min(strip_depth, inner - first);
    for (std::uint64_t column = 0; column < columns; column += width) {
      const std::uint64_t used = std::min(width, columns - column);
      if (used < width) std::ranges::fill(strip, U{0});
      for (std::uint64_t k = 0; k < depth; ++k) std::copy_n(b + (first + k) * columns + column, used, strip.data() + k * width);
      std::uint64_t row = 0;
      if (used == width) {
        for (; row + row_group <= rows; row += row_group) {
          add_products<Line, row_group>(a + row * inner + first, inner, strip.data(), c + row * columns + column, columns, depth);
        }
      }
      for (; row < rows; ++row) {
        U sums[width] = {};
        add_products<Line, 1>(a + row * inner + first, inner, strip.data(), sums, width, depth);
        for (std::uint64_t i = 0; i < used; ++i) c[row * columns + column + i] += sums[i];
      }
    }
  }
}

void multiply_int32(const std::uint32_t* a, const std::uint32_t* b, std::uint32_t* c, std::uint64_t rows, std::uint64_t columns,
                    std::uint64_t inner) {
  multiply_strips<int32_line>(a, b, c, rows, columns, inner);
}

void multiply_int64(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t* c, std::uint64_t rows, std::uint64_t columns,
                    std::uint64_t inner) {
  multiply_strips<int64_line>(a, b, c, rows, columns, inner);
}

}  // namespace
}  // namespace jobs::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jobs {

HWY_EXPORT(multiply_int32);
HWY_EXPORT(multiply_int64);

template <class T>
void multiply_and_add(const T* a, const T* b, T* c, std::uint64_t rows, std::uint64_t columns, std::uint64_t inner) {
  using U = std::make_unsigned_t<T>;
  const auto run = [] {
    if constexpr (sizeof(T) == 4) {
      return HWY_DYNAMIC_DISPATCH(multiply_int32);
    } else {
      return HWY_DYNAMIC_DISPATCH(multiply_int64);
    }
  }();
  run(reinterpret_cast<const U*>(a), reinterpret_cast<const U*>(b), reinterpret_cast<U*>(c), rows, columns, inner);
}

template void multiply_and_add(const std::int32_t*, const std::int32_t*, std::int32_t*, std::uint64_t, std::uint64_t,
                               std::uint64_t);
template void multiply_and_add(const std::int64_t*, const std::int64_t*, std::int64_t*, std::uint64_t, std::uint64_t,
                               std::uint64_t);

}  // namespace jobs
#endif
