// Tests sums of squares and cubes beyond 128 bits, and across the limits of the integer types that compute them.
#include "support/power_sums.hpp"

#include <limits>
#include <utility>

#include "support/catch.hpp"
#include "support/closed_form.hpp"
#include "vector_targets.hpp"

TEST_CASE("sums of squares and cubes of 64-bit numbers are exact") {
  constexpr std::uint64_t word = std::uint64_t{1} << 32;
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [first, last] :
       std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>{{0, 0},
                                                                      {1, 1},
                                                                      {0, 9'999},
                                                                      {word - 1, word - 1},
                                                                      {word - 1, word},
                                                                      {word - 5'000, word + 5'000},
                                                                      {7 * word + word / 2 - 2, 8 * word + 1},
                                                                      {3'000'000'000'000, 3'000'000'010'000},
                                                                      {largest, largest},
                                                                      {largest - 100'000, largest}}) {
    CAPTURE(first, last);
    CHECK(jobs::add_squares({first, last}) == jobs::sum_of_squares(first, last));
    CHECK(jobs::add_cubes({first, last}) == jobs::sum_of_cubes(first, last));
  }
}

TEST_CASE("sums of squares are exact for every target and every number of remaining items") {
  constexpr std::uint64_t word = std::uint64_t{1} << 32;
  support::for_each_vector_target([](const std::string& target) {
    for (std::uint64_t first : {std::uint64_t{0}, word - 5'000, 7 * word - 40}) {
      for (std::uint64_t count = 1; count < 40; ++count) {
        CAPTURE(target, first, count);
        CHECK(jobs::add_squares({first, first + count - 1}) == jobs::sum_of_squares(first, first + count - 1));
      }
      CAPTURE(target, first);
      CHECK(jobs::add_squares({first, first + 10'000}) == jobs::sum_of_squares(first, first + 10'000));
    }
  });
}
