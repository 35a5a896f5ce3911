// Tests products of integer matrices in memory against the definition, for each instruction set.
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

#include "matrices/gemm.hpp"
#include "support/catch.hpp"
#include "vector_targets.hpp"

TEMPLATE_TEST_CASE("a product of whole numbers equals the definition and wraps around, for every target", "", std::int32_t,
                   std::int64_t) {
  using wrapping = std::make_unsigned_t<TestType>;
  const auto random_numbers = [](std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<TestType> numbers(count);
    for (TestType& number : numbers) number = static_cast<TestType>(random());
    return numbers;
  };
  struct shape {
    std::uint64_t rows, columns, inner;
  };
  // Sizes around the four rows and two vectors that are multiplied at once, and around the depth of a strip.
  for (const auto& [rows, columns, inner] : {shape{1, 1, 1}, {4, 16, 3}, {5, 17, 7}, {9, 33, 511}, {3, 7, 513}, {8, 40, 1030}}) {
    const auto a = random_numbers(rows * inner, 1), b = random_numbers(inner * columns, 2),
               before = random_numbers(rows * columns, 3);
    std::vector<TestType> expected = before;
    for (std::uint64_t row = 0; row < rows; ++row) {
      for (std::uint64_t column = 0; column < columns; ++column) {
        wrapping sum = static_cast<wrapping>(before[row * columns + column]);
        for (std::uint64_t k = 0; k < inner; ++k)
          sum += static_cast<wrapping>(a[row * inner + k]) * static_cast<wrapping>(b[k * columns + column]);
        expected[row * columns + column] = static_cast<TestType>(sum);
      }
    }
    support::for_each_vector_target([&](const std::string& target) {
      CAPTURE(target, rows, columns, inner);
      std::vector<TestType> c = before;
      jobs::multiply_and_add(a.data(), b.data(), c.data(), rows, columns, inner);
      CHECK(c == expected);
    });
  }
}
