// The exact sum of the squares (sum_powers 2 N) or cubes (sum_powers 3 N) of 1 to N, with one loop on one core.
#include <gmpxx.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>

namespace {

using wide = unsigned __int128;

template <class Power>
mpz_class sum(std::uint64_t to, Power power) {
  constexpr std::uint64_t block = 1'000'000;  // the sum of a block fits 128 bits
  mpz_class total = 0;
  for (std::uint64_t first = 1; first <= to; first += block) {
    const std::uint64_t last = std::min(to, first + block - 1);
    wide part = 0;
    for (std::uint64_t n = first; n <= last; ++n) part += power(n);
    const std::uint64_t words[2] = {static_cast<std::uint64_t>(part), static_cast<std::uint64_t>(part >> 64)};
    mpz_class value;
    mpz_import(value.get_mpz_t(), 2, -1, sizeof words[0], 0, 0, words);
    total += value;
  }
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::uint64_t to = std::strtoull(argv[2], nullptr, 10);
  const bool cubes = std::atoi(argv[1]) == 3;
  std::cout << (cubes ? sum(to, [](std::uint64_t n) { return static_cast<wide>(n) * n * n; })
                      : sum(to, [](std::uint64_t n) { return static_cast<wide>(n) * n; }))
            << '\n';
}
