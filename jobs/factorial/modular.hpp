// Arithmetic modulo a 49-bit prime in doubles, so that the compiler can turn plain loops into vector code.
//
// A residue is any integer-valued double congruent to the number meant; `reduce` and `multiply` bring it near [-p/2, p/2].
// Products are exact: fma gives the part of a*b that rounding loses. Integers stay below 2^53 in magnitude throughout.
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

/// To the nearest integer, for |x| < 2^51; unlike std::rint it needs no instruction of its own to be fast.
[[gnu::always_inline]] inline double round(double x) {
  constexpr double shift = 0x1.8p52;
  return (x + shift) - shift;
}

/// In [-p/2, p/2].
[[gnu::always_inline]] inline double reduce(double x, const prime_field& f) {
  return std::fma(-round(x * f.reciprocal), f.p, x);
}

/// In (-p, p), and within 0.7 p if |a*b| < 2p².
[[gnu::always_inline]] inline double multiply(double a, double b, const prime_field& f) {
  const double high = a * b;
  const double low = std::fma(a, b, -high);
  return std::fma(-round(high * f.reciprocal), f.p, high) + low;
}

/// In [0, p).
[[gnu::always_inline]] inline double canonical(double x, const prime_field& f) {
  const double r = reduce(x, f);
  return r < 0 ? r + f.p : r;
}

/// Of an integer below 2^52: the exponent of 2^52 put above its bits, and taken away again as a number.
[[gnu::always_inline]] inline double to_double(std::uint64_t n) {
  return std::bit_cast<double>(n | 0x4330000000000000) - 0x1p52;
}

/// The inverse of to_double, for 0 <= x < 2^52.
[[gnu::always_inline]] inline std::uint64_t to_integer(double x) {
  return std::bit_cast<std::uint64_t>(x + 0x1p52) & 0x000fffffffffffff;
}

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
