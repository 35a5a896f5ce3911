// Arithmetic on single numbers modulo a 49-bit prime, in doubles. vector_kernels.cpp implements the same for vectors.
//
// A residue is represented by any congruent integer-valued double; `reduce` and `multiply` bring it near [-p/2, p/2]. Products are
// exact, because fma computes the rounding error of a*b. All integers stay below 2^53 in magnitude.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace jobs::modular {

struct prime_field {
  double p;
  double reciprocal;  // 1/p
};

constexpr prime_field field_of(std::uint64_t p) { return {static_cast<double>(p), 1.0 / static_cast<double>(p)}; }

/// Rounds to the nearest integer, for |x| < 2^51.
inline double round(double x) {
  constexpr double shift = 0x1.8p52;
  return (x + shift) - shift;
}

/// Returns a value congruent to x in [-p/2, p/2].
inline double reduce(double x, const prime_field& f) { return std::fma(-round(x * f.reciprocal), f.p, x); }

/// Returns a value congruent to a*b in (-p, p), and within 0.7 p if |a*b| < 2p².
inline double multiply(double a, double b, const prime_field& f) {
  const double high = a * b;
  const double low = std::fma(a, b, -high);
  return std::fma(-round(high * f.reciprocal), f.p, high) + low;
}

/// Returns the value congruent to x in [0, p).
inline double canonical(double x, const prime_field& f) {
  const double r = reduce(x, f);
  return r < 0 ? r + f.p : r;
}

/// Converts an integer 0 <= x < 2^52: takes the mantissa bits of 2^52 + x.
inline std::uint64_t to_integer(double x) { return std::bit_cast<std::uint64_t>(x + 0x1p52) & 0x000fffffffffffff; }

inline double power(double base, std::uint64_t exponent, const prime_field& f) {
  double result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = multiply(result, base, f);
    base = multiply(base, base, f);
  }
  return reduce(result, f);
}

inline double inverse(double x, const prime_field& f) { return power(x, static_cast<std::uint64_t>(f.p) - 2, f); }

}  // namespace jobs::modular
