#include "support/power_sums.hpp"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "support/power_sums.cpp"
#include "support/vector_targets.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace jobs::HWY_NAMESPACE {
namespace {

/// Returns three sums for `count` numbers from `first` on: of the numbers, and of the lower and the upper halves of their squares.
/// The separate sums let compilers vectorize the loop.
std::array<std::uint64_t, 3> add_small_squares(std::uint32_t first, std::uint64_t count) {
  std::uint64_t numbers = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint32_t n = first;
  for (std::uint64_t left = count; left > 0; --left, ++n) {
    const auto square = std::uint64_t{n} * n;
    numbers += n;
    low += static_cast<std::uint32_t>(square);
    high += square >> 32;
  }
  return {numbers, low, high};
}

}  // namespace
}  // namespace jobs::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jobs {
namespace {

HWY_EXPORT(add_small_squares);

using wide = unsigned __int128;

mpz_class to_integer(wide value) {
  const std::uint64_t words[2] = {static_cast<std::uint64_t>(value), static_cast<std::uint64_t>(value >> 64)};
  mpz_class integer;
  mpz_import(integer.get_mpz_t(), 2, -1, sizeof words[0], 0, 0, words);
  return integer;
}

// The sums of powers of at most 2^31 numbers below 2^32.
struct power_sums {
  std::uint64_t numbers = 0;
  wide squares = 0;
  wide cubes = 0;
};

/// Uses two multiplications per number; cubes of 64-bit numbers would need three. The loop counts down because GCC 12 would
/// otherwise count n in 128 bits, at two thirds of the speed.
power_sums add_small_cubes(std::uint32_t first, std::uint64_t count) {
  power_sums sums;
  std::uint32_t n = first;
  for (std::uint64_t left = count; left > 0; --left, ++n) {
    const auto square = std::uint64_t{n} * n;
    sums.numbers += n;
    sums.squares += square;
    sums.cubes += static_cast<wide>(square) * n;
  }
  return sums;
}

/// Splits `numbers` into parts of the form 2^32 h + n, where n = first, first + 1, ... Calls part(h, first, count) for each.
template <class Part>
void in_parts(const number_range& numbers, Part part) {
  auto [first, last] = numbers;
  for (;;) {
    constexpr std::uint64_t low_bits = 0xffffffff;
    constexpr std::uint64_t most = std::uint64_t{1} << 31;
    const std::uint64_t count = std::min({last - first, low_bits - (first & low_bits), most - 1}) + 1;
    part(mpz_class(first >> 32), static_cast<std::uint32_t>(first), count);
    if (count > last - first) return;
    first += count;
  }
}

}  // namespace

mpz_class add_squares(const number_range& numbers) {
  mpz_class sum;
  in_parts(numbers, [&sum](const mpz_class& high, std::uint32_t first, std::uint64_t count) {
    const auto [numbers_sum, low_halves, high_halves] = HWY_DYNAMIC_DISPATCH(add_small_squares)(first, count);
    const mpz_class h = high << 32;
    sum += h * h * count + 2 * h * numbers_sum + to_integer((static_cast<wide>(high_halves) << 32) + low_halves);
  });
  return sum;
}

mpz_class add_cubes(const number_range& numbers) {
  mpz_class sum;
  in_parts(numbers, [&sum](const mpz_class& high, std::uint32_t first, std::uint64_t count) {
    const power_sums of = add_small_cubes(first, count);
    const mpz_class h = high << 32;
    sum += h * h * h * count + 3 * h * h * of.numbers + 3 * h * to_integer(of.squares) + to_integer(of.cubes);
  });
  return sum;
}

}  // namespace jobs
#endif
