// Reads and writes floating-point numbers in Python's notation: 50.0, 0.1, 1e+16.
#pragma once

#include <string>
#include <string_view>

namespace jobs {

/// Returns the shortest decimal that is read back as `value`, always with a point or an exponent.
std::string decimal_text(double value);

/// Returns the double nearest to `text`, which may also have the forms of parse_integer(). Throws: std::invalid_argument.
double parse_decimal(std::string_view text);

}  // namespace jobs
