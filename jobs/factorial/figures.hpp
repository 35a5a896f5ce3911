// What is told about a factorial instead of all its digits, and each figure exact without converting them all.
#pragma once

#include <gmpxx.h>

#include <cstdint>
#include <string>

#include "factorial/digits.hpp"

namespace jobs {

constexpr int shown_digits = 8;  // of the first, and of the last that are not zero

struct leading_digits {
  std::uint64_t count;  // of all digits
  std::string first;    // shown_digits of them, or all if there are fewer
};

/// Of n · 2^shift > 0. From the leading 256 bits as an interval; where that cannot decide, one exact comparison does.
leading_digits leading_digits_of(const mpz_class& n, std::uint64_t shift = 0);
leading_digits leading_digits_of(const digit_vector& decimal);

/// How many bits a number > 0 has, exact in the same way.
std::uint64_t bit_length(const digit_vector& decimal);

/// The last digits of n! before its trailing zeros, shown_digits of them or all if there are fewer; from n alone.
std::string last_nonzero_digits(std::uint64_t n);

}  // namespace jobs
