#include "support/size.hpp"

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "support/decimal.hpp"
#include "support/numbers.hpp"

namespace jobs {

std::uint64_t parse_size(std::string_view text) {
  using unit_size = std::pair<std::string_view, std::uint64_t>;
  constexpr std::uint64_t kibi = 1024, kilo = 1000;
  constexpr auto units = std::to_array<unit_size>({{"KiB", kibi},
                                                   {"MiB", kibi * kibi},
                                                   {"GiB", kibi * kibi * kibi},
                                                   {"TiB", kibi * kibi * kibi * kibi},
                                                   {"kB", kilo},
                                                   {"MB", kilo * kilo},
                                                   {"GB", kilo * kilo * kilo},
                                                   {"TB", kilo * kilo * kilo * kilo},
                                                   {"K", kibi},
                                                   {"M", kibi * kibi},
                                                   {"G", kibi * kibi * kibi},
                                                   {"T", kibi * kibi * kibi * kibi},
                                                   {"k", kibi},
                                                   {"m", kibi * kibi},
                                                   {"g", kibi * kibi * kibi},
                                                   {"t", kibi * kibi * kibi * kibi},
                                                   {"B", 1},
                                                   {"", 1}});
  for (const auto& [unit, bytes] : units) {
    if (!text.ends_with(unit)) continue;
    const std::string_view number = text.substr(0, text.size() - unit.size());
    if (bytes == 1) return parse_integer(number, 0, mpz_class(1) << 62).get_ui();
    const double value = parse_decimal(number) * static_cast<double>(bytes);
    if (!(value >= 0 && value < 0x1p62)) break;
    return static_cast<std::uint64_t>(std::llround(value));
  }
  throw std::invalid_argument("not a size");
}

}  // namespace jobs
