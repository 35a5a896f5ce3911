// Tests PNG's filters against their definition in the PNG specification, for each instruction set.
#include "image/png_filters.hpp"

#include <array>
#include <cstdlib>
#include <random>
#include <vector>

#include "../vector_targets.hpp"
#include "support/catch.hpp"

namespace {

int paeth(int a, int b, int c) {
  const int p = a + b - c;
  const int to_a = std::abs(p - a), to_b = std::abs(p - b), to_c = std::abs(p - c);
  if (to_a <= to_b && to_a <= to_c) return a;
  return to_b <= to_c ? b : c;
}

}  // namespace

TEST_CASE("PNG filters equal their definitions, for every target") {
  std::mt19937 random(1);
  for (const std::size_t apart : {1, 2, 3, 4, 6, 8}) {
    for (const std::size_t n : {1, 8, 63, 64, 65, 1000}) {
      std::vector<std::uint8_t> at(apart + n), up(apart + n);
      for (std::size_t i = apart; i < apart + n; ++i) {
        at[i] = static_cast<std::uint8_t>(random());
        up[i] = i % 5 == 0 ? at[i - apart] : static_cast<std::uint8_t>(random());  // ties of the Paeth predictor
      }
      std::array<std::vector<std::uint8_t>, jobs::png::filters> expected;
      for (std::size_t i = 0; i < n; ++i) {
        const int x = at[apart + i], a = at[i], b = up[apart + i], c = up[i];
        expected[1].push_back(static_cast<std::uint8_t>(x - a));
        expected[2].push_back(static_cast<std::uint8_t>(x - b));
        expected[3].push_back(static_cast<std::uint8_t>(x - (a + b) / 2));
        expected[4].push_back(static_cast<std::uint8_t>(x - paeth(a, b, c)));
      }
      support::for_each_vector_target([&](const std::string& target) {
        std::array<std::vector<std::uint8_t>, jobs::png::filters> rows;
        std::array<std::uint8_t*, jobs::png::filters> out{};
        for (std::size_t f = 1; f < rows.size(); ++f) {
          rows[f].resize(n);
          out[f] = rows[f].data();
        }
        jobs::png::filter_row(at.data() + apart, up.data() + apart, apart, n, out);
        for (std::size_t f = 1; f < rows.size(); ++f) {
          CAPTURE(target, apart, n, f);
          CHECK(rows[f] == expected[f]);
        }
      });
    }
  }
}

TEST_CASE("the cost of a row is the sum of the absolute values of its bytes, taken as signed, for every target") {
  for (const std::size_t n : {0, 1, 31, 256, 4095, 4097, 100'000}) {
    std::vector<std::uint8_t> bytes(n);
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < n; ++i) {
      bytes[i] = static_cast<std::uint8_t>(i * 7);
      expected += bytes[i] < 128 ? bytes[i] : 256U - bytes[i];
    }
    support::for_each_vector_target([&](const std::string& target) {
      CAPTURE(target, n);
      CHECK(jobs::png::filter_cost(bytes.data(), n) == expected);
    });
  }
}
