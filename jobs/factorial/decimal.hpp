// Converts long integers to decimal text. Divide and conquer computes a = h·2^k + l in base 10^18 with multiplications only,
// without division. Parts that are converted separately can be multiplied or joined in base 10^18.
#pragma once

#include <gmpxx.h>

#include <cstddef>
#include <string>

#include "factorial/digits.hpp"

namespace jobs {

/// Returns the digits of n >= 0 in base 10^18, least significant first, without leading zeros.
digit_vector to_decimal(const mpz_class& n);

/// Returns the number of decimal digits; 1 for zero.
std::uint64_t decimal_length(const digit_vector& digits);

/// Calls write(std::string_view) with the decimal text of the number, in order, about 64 KiB per call.
template <class Write>
void write_decimal(const digit_vector& digits, Write write);

// ---------------------------------------------------------------------------------------------------------------

namespace detail {
/// Appends `digit` (base 10^18) as 18 decimal digits, with leading zeros.
void append_places(std::string& text, std::uint64_t digit);
}  // namespace detail

template <class Write>
void write_decimal(const digit_vector& digits, Write write) {
  constexpr std::size_t piece_bytes = std::size_t{1} << 16;
  std::string text = std::to_string(digits.empty() ? 0 : digits.back());
  for (std::size_t i = digits.size(); i-- > 1;) {
    if (text.size() > piece_bytes) {
      write(std::string_view(text));
      text.clear();
    }
    detail::append_places(text, digits[i - 1]);
  }
  write(std::string_view(text));
}

}  // namespace jobs
