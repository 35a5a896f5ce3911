// Exact sums beyond 128 bits.
#include "support/wide_sum.hpp"

#include <limits>

#include "support/catch.hpp"

using jobs::exact_cube;
using jobs::exact_square;
using jobs::to_integer;

TEST_CASE("squares and cubes of 64-bit numbers are exact") {
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4294967296}, std::uint64_t{5'541'191'377'757},
                                std::numeric_limits<std::uint64_t>::max()}) {
    const mpz_class exact(static_cast<unsigned long>(n));
    CHECK(to_integer(exact_square(n)) == exact * exact);
    CHECK(to_integer(exact_cube(n)) == exact * exact * exact);
  }
}

TEST_CASE("a sum carries into its third word") {
  const jobs::wide_sum full{~static_cast<unsigned __int128>(0), 6};
  CHECK(full + jobs::wide_sum{1, 0} == jobs::wide_sum{0, 7});
  CHECK(to_integer(full) == (mpz_class(7) << 128) - 1);
}

TEST_CASE("sums follow their closed forms") {
  constexpr std::uint64_t from = 3'000'000'000'000, count = 10'000;
  jobs::wide_sum squares, cubes;
  for (std::uint64_t n = from; n < from + count; ++n) {
    squares = squares + exact_square(n);
    cubes = cubes + exact_cube(n);
  }
  const auto sum_of_squares_below = [](const mpz_class& n) -> mpz_class { return (n - 1) * n * (2 * n - 1) / 6; };
  const auto sum_of_cubes_below = [](const mpz_class& n) -> mpz_class { return (n - 1) * n / 2 * ((n - 1) * n / 2); };
  const mpz_class begin(static_cast<unsigned long>(from)), end(static_cast<unsigned long>(from + count));
  CHECK(to_integer(squares) == sum_of_squares_below(end) - sum_of_squares_below(begin));
  CHECK(to_integer(cubes) == sum_of_cubes_below(end) - sum_of_cubes_below(begin));
}
