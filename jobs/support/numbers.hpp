// Parses integers in the notations that people use: 1000000, 10_000, 1e12, 1.5e6, 2^40, 1e18+1e11. Exact, without a double.
#pragma once

#include <gmpxx.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace jobs {

/// Returns the value of `text`: a sum or difference of such terms, with an optional sign. Throws: std::invalid_argument with a
/// one-sentence message for other text, for a fraction (1.5) and above 10^8 digits.
mpz_class parse_integer(std::string_view text);

/// Converts `value` to an Integer. Throws: std::out_of_range with a one-sentence message if it is not in [least, most].
std::int64_t narrow_signed(const mpz_class& value, std::int64_t least, std::int64_t most);
std::uint64_t narrow_unsigned(const mpz_class& value, std::uint64_t least, std::uint64_t most);

template <std::integral Integer>
Integer parse_number(std::string_view text, Integer least = std::numeric_limits<Integer>::min(),
                     Integer most = std::numeric_limits<Integer>::max()) {
  if constexpr (std::signed_integral<Integer>) {
    return static_cast<Integer>(narrow_signed(parse_integer(text), least, most));
  } else {
    return static_cast<Integer>(narrow_unsigned(parse_integer(text), least, most));
  }
}

/// Returns an interval for messages, for example "from 1 to 1e12".
std::string range_text(const mpz_class& least, const mpz_class& most);

}  // namespace jobs
