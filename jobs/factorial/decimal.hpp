// Long integers as decimal text. From binary by divide and conquer with products alone: a = h·2^k + l is put together in
// base 10^18, so nothing is ever divided, and pieces converted apart can be multiplied or joined as they are.
#pragma once

#include <gmpxx.h>

#include <cstddef>
#include <string>

#include "factorial/digits.hpp"

namespace jobs {

/// The digits of n >= 0 in base 10^18, least significant first, without leading zeros.
digit_vector to_decimal(const mpz_class& n);

/// How many decimal digits the number has; 1 for zero.
std::uint64_t decimal_length(const digit_vector& digits);

/// Calls write(std::string_view) with the decimal text of the number, in pieces of about 64 KiB, in order.
template <class Write>
void write_decimal(const digit_vector& digits, Write write);

// ---------------------------------------------------------------------------------------------------------------

namespace detail {
/// Appends `digit` with all its 18 places.
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
