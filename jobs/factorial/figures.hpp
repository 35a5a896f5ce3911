// Computes figures that describe a factorial without printing all its digits. Each is exact, without a full conversion.
#pragma once

#include <gmpxx.h>

#include <cstdint>
#include <string>

#include "factorial/digits.hpp"

namespace jobs {

constexpr int shown_digits = 8;  // so many first digits, and so many last digits before the zeros at the end

struct leading_digits {
  std::uint64_t count;  // number of decimal digits
  std::string first;    // the first shown_digits digits, or all if there are fewer
};

/// Returns the leading digits of n · 2^shift > 0, from an interval around its leading 256 bits, or exactly if that is ambiguous.
leading_digits leading_digits_of(const mpz_class& n, std::uint64_t shift = 0);
leading_digits leading_digits_of(const digit_vector& decimal);

/// Returns the exact number of bits of a number > 0.
std::uint64_t bit_length(const digit_vector& decimal);

/// Returns the last digits of n! before its trailing zeros: shown_digits of them, or all if there are fewer. Uses only n.
std::string last_nonzero_digits(std::uint64_t n);

}  // namespace jobs
