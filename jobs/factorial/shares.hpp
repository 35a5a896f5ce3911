// A factorial as a product of prime powers, dealt into shares that can be worked out anywhere, each from three numbers.
//
// n! = 2^e · share(0) · … · share(m-1). Primes are dealt like cards, so the shares are alike in size and in work, and the
// squarings that make large exponents cheap happen inside every share.
#pragma once

#include <gmpxx.h>

#include <cstdint>

namespace jobs {

constexpr std::uint64_t largest_factorial = 100'000'000;

/// The exponent of the prime p in n! (Legendre).
constexpr std::uint64_t exponent_in_factorial(std::uint64_t n, std::uint64_t p) {
  std::uint64_t exponent = 0;
  while (n >= p) exponent += n /= p;
  return exponent;
}

/// The product of p^exponent_in_factorial(n, p) over every odd prime p <= n that is dealt to `share` of `shares`.
mpz_class factorial_share(std::uint64_t n, std::uint32_t share, std::uint32_t shares);

/// n! in one piece.
mpz_class factorial(std::uint64_t n);

/// n! in bits, about.
double factorial_size_bits(std::uint64_t n);

}  // namespace jobs
