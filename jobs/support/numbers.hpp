// Parses integers in the notations that people use: 1000000, 10_000, 1e12, 1.5e6, 2^40, 1e18+1e11. Exact, without a double.
#pragma once

#include <gmpxx.h>

#include <string>
#include <string_view>

namespace jobs {

/// Returns the value of `text`: a sum or difference of such terms, with an optional sign. Throws: std::invalid_argument with a
/// one-sentence message for other text, for a fraction (1.5) and above 10^8 digits.
mpz_class parse_integer(std::string_view text);

/// Does the same for a number in [least, most]. Throws: std::out_of_range for another number.
mpz_class parse_integer(std::string_view text, const mpz_class& least, const mpz_class& most);

/// Returns an interval for messages, for example "from 1 to 1e12".
std::string range_text(const mpz_class& least, const mpz_class& most);

}  // namespace jobs
