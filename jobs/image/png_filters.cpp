#include "image/png_filters.hpp"

#include <algorithm>
#include <cstdlib>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/png_filters.cpp"
#include "support/vector_targets.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace jobs::png::HWY_NAMESPACE {
namespace {

void filter_row(const std::uint8_t* __restrict at, const std::uint8_t* __restrict up, std::size_t apart, std::size_t n,
                const std::array<std::uint8_t*, filters>& out) {
  std::uint8_t* __restrict left = out[1], * __restrict above = out[2], * __restrict average = out[3], * __restrict paeth = out[4];
  const std::uint8_t* const before = at - apart;
  const std::uint8_t* const before_up = up - apart;
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < n; ++i) {
    const int a = before[i], b = up[i], c = before_up[i];
    left[i] = static_cast<std::uint8_t>(at[i] - a);
    above[i] = static_cast<std::uint8_t>(at[i] - b);
    average[i] = static_cast<std::uint8_t>(at[i] - ((a + b) >> 1));
    const int to_a = std::abs(b - c), to_b = std::abs(a - c), to_c = std::abs(a + b - 2 * c);
    const int b_or_c = to_b <= to_c ? b : c;
    const int nearest = (to_a <= to_b && to_a <= to_c) ? a : b_or_c;
    paeth[i] = static_cast<std::uint8_t>(at[i] - nearest);
  }
}

std::uint64_t filter_cost(const std::uint8_t* bytes, std::size_t n) {
  std::uint64_t sum = 0;
  for (std::size_t begin = 0; begin < n; begin += 4096) {
    std::uint32_t part = 0;
    for (std::size_t i = begin; i < std::min(n, begin + 4096); ++i)
      part += static_cast<std::uint32_t>(std::abs(static_cast<std::int8_t>(bytes[i])));
    sum += part;
  }
  return sum;
}

}  // namespace
}  // namespace jobs::png::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jobs::png {

HWY_EXPORT(filter_row);
HWY_EXPORT(filter_cost);

void filter_row(const std::uint8_t* at, const std::uint8_t* up, std::size_t apart, std::size_t n,
                const std::array<std::uint8_t*, filters>& out) {
  HWY_DYNAMIC_DISPATCH(filter_row)(at, up, apart, n, out);
}

std::uint64_t filter_cost(const std::uint8_t* bytes, std::size_t n) { return HWY_DYNAMIC_DISPATCH(filter_cost)(bytes, n); }

}  // namespace jobs::png
#endif
