#include "support/decimal.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "support/in_quotes.hpp"
#include "support/numbers.hpp"

namespace jobs {

std::string decimal_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const double size = std::abs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  char buffer[64];
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

double parse_decimal(std::string_view text) {
  const std::string_view digits = !text.empty() && text.front() == '+' ? text.substr(1) : text;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc() && end == digits.data() + digits.size()) return value;
  try {
    return parse_integer(text).get_d();
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument(in_quotes(text) + " is not a number (write it as 2.5, 1e-3, 10_000 or 2^40)");
  }
}

}  // namespace jobs
