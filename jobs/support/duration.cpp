#include "support/duration.hpp"

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "support/decimal.hpp"

namespace jobs {

double parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"ms", 0.001}, {"min", 60}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"", 1}}};
  for (const auto& [unit, seconds] : units) {
    if (!text.ends_with(unit)) continue;
    const double value = parse_decimal(text.substr(0, text.size() - unit.size())) * seconds;
    if (!std::isfinite(value) || value < 0) break;
    return value;
  }
  throw std::invalid_argument("not a time");
}

}  // namespace jobs
