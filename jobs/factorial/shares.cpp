#include "factorial/shares.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <primesieve.hpp>
#include <span>
#include <vector>

#include "factorial/long_product.hpp"

namespace jobs {
namespace {

/// A product of numbers, stored as 64-bit words that each hold the product of several numbers.
class word_product {
 public:
  void multiply(std::uint64_t factor) {
    if (last_ > std::numeric_limits<std::uint64_t>::max() / factor) {
      words_.push_back(last_);
      last_ = 1;
    }
    last_ *= factor;
  }
  mpz_class value() const { return long_product(product(words_), mpz_class(static_cast<unsigned long>(last_))); }

 private:
  static mpz_class product(std::span<const std::uint64_t> words) {
    constexpr std::size_t few = 32;
    if (words.size() > few) {
      const std::size_t half = words.size() / 2;
      return long_product(product(words.first(half)), product(words.subspan(half)));
    }
    mpz_class result = 1;
    for (const std::uint64_t word : words) result *= static_cast<unsigned long>(word);
    return result;
  }

  std::vector<std::uint64_t> words_;
  std::uint64_t last_ = 1;
};

// Deals the primes to the shares in alternating order, so that no share always gets the smaller prime, whose power is larger.
bool is_dealt_to(std::uint64_t index, std::uint32_t share, std::uint32_t shares) {
  const std::uint64_t place = index % (2 * std::uint64_t{shares});
  return (place < shares ? place : 2 * std::uint64_t{shares} - 1 - place) == share;
}

}  // namespace

mpz_class factorial_share(std::uint64_t n, std::uint32_t share, std::uint32_t shares) {
  // by_bit[k] holds the primes whose exponent has bit k. The share is the product of by_bit[k]^(2^k).
  std::array<word_product, 64> by_bit;
  int highest_bit = 0;
  primesieve::iterator primes(3, n);
  std::uint64_t index = 0;
  for (std::uint64_t p = primes.next_prime(); p <= n; p = primes.next_prime(), ++index) {
    if (!is_dealt_to(index, share, shares)) continue;
    std::uint64_t exponent = exponent_in_factorial(n, p);
    highest_bit = std::max(highest_bit, static_cast<int>(std::bit_width(exponent)) - 1);
    for (; exponent != 0; exponent &= exponent - 1) by_bit[std::countr_zero(exponent)].multiply(p);
  }
  mpz_class result = by_bit[highest_bit].value();
  for (int bit = highest_bit - 1; bit >= 0; --bit) {
    result = long_product(result, result);
    result = long_product(result, by_bit[bit].value());
  }
  return result;
}

mpz_class factorial(std::uint64_t n) { return factorial_share(n, 0, 1) << exponent_in_factorial(n, 2); }

double factorial_size_bits(std::uint64_t n) { return std::lgamma(static_cast<double>(n) + 1) * std::numbers::log2e; }

}  // namespace jobs
