#include "support/duration.hpp"

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "support/command.hpp"
#include "support/decimal.hpp"
#include "support/in_quotes.hpp"

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

CLI::Option* add_duration(CLI::App& job, const std::string& name, std::function<void(double)> set, const std::string& help) {
  const auto read = [name, set = std::move(set)](const std::vector<std::string>& texts) {
    try {
      set(parse_duration(texts.back()));
    } catch (const std::invalid_argument&) {
      throw usage_error(name + " takes a time such as 90, 1.5s, 250ms, 5min or 1h, not " + in_quotes(texts.back()));
    }
    return true;
  };
  return job.add_option(name, read, help)->type_name("TIME")->expected(1);
}

}  // namespace jobs
