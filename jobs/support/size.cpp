#include "support/size.hpp"

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

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
                                                   {"B", 1},
                                                   {"", 1}});
  for (const auto& [unit, bytes] : units) {
    if (!text.ends_with(unit)) continue;
    const std::string_view number = text.substr(0, text.size() - unit.size());
    if (bytes == 1) return parse_number<std::uint64_t>(std::string(number), 0, std::uint64_t{1} << 62);
    const double value = parse_decimal(number) * static_cast<double>(bytes);
    if (!(value >= 0 && value < 0x1p62)) break;
    return static_cast<std::uint64_t>(std::llround(value));
  }
  throw std::invalid_argument("not a size");
}

CLI::Option* add_size(CLI::App& job, const std::string& name, std::uint64_t& bytes, const std::string& help, std::uint64_t least,
                      std::uint64_t most) {
  return detail::add_parsed(
             job, name, help, "a size " + detail::range_text(least, most) + " bytes, with units such as 512K, 1.5G or 4GB", false,
             [&bytes, least, most](const std::vector<std::string>& texts) {
               const std::uint64_t size = parse_size(texts.back());
               if (size < least || size > most) throw std::invalid_argument("out of range");
               bytes = size;
             },
             [&bytes] { return std::to_string(bytes); })
      ->type_name("SIZE");
}

}  // namespace jobs
