// Numbers with a fraction, read and written as Python does: 50.0, 0.1, 1e+16.
#pragma once

#include <string>
#include <string_view>

namespace jobs {

/// The shortest decimal that reads back as `value`, always with a point or an exponent.
std::string decimal_text(double value);

/// The nearest double. Takes what parse_integer takes, too. Throws: std::invalid_argument with one sentence.
double parse_decimal(std::string_view text);

}  // namespace jobs
