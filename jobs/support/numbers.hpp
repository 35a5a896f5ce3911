// Whole numbers as people write them: 1000000, 10_000, 1e12, 1.5e6, 2^40, 1e18+1e11. Exact: never through a double.
#pragma once

#include <gmpxx.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace jobs {

/// The value of `text`, a sum or difference of terms as above, with an optional sign in front.
/// Throws: std::invalid_argument with one sentence for anything else, for a fraction (1.5), and for more than 10^8 digits.
mpz_class parse_integer(std::string_view text);

/// `value` as an Integer. Throws: std::out_of_range with one sentence if it does not lie in [least, most].
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

/// "from 1 to 1e12": the interval as messages show it.
std::string range_text(const mpz_class& least, const mpz_class& most);

}  // namespace jobs
