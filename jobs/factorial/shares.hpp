// A factorial as a product of prime powers that are divided into shares. Any worker can compute a share from three numbers.
//
// n! = 2^e · share(0) · … · share(m-1). The primes are dealt in turn, so the shares have similar sizes and costs. Every share uses
// repeated squaring for large exponents.
#pragma once

#include <gmpxx.h>

#include <cstdint>

namespace jobs {

constexpr std::uint64_t largest_factorial = 100'000'000;

/// Returns the exponent of the prime p in n! (Legendre's formula).
constexpr std::uint64_t exponent_in_factorial(std::uint64_t n, std::uint64_t p) {
  std::uint64_t exponent = 0;
  while (n >= p) exponent += n /= p;
  return exponent;
}

/// Returns the product of p^exponent_in_factorial(n, p) over all odd primes p <= n of `share`, one of `shares` shares.
mpz_class factorial_share(std::uint64_t n, std::uint32_t share, std::uint32_t shares);

/// Computes n! without dividing it into shares.
mpz_class factorial(std::uint64_t n);

/// Returns the approximate size of n! in bits.
double factorial_size_bits(std::uint64_t n);

}  // namespace jobs
