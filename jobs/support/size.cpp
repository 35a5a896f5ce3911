#include "support/size.hpp"

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/decimal.hpp"
#include "support/in_quotes.hpp"
#include "support/numbers.hpp"

namespace jobs {

std::uint64_t parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 15> units{{{"KiB", 1ULL << 10},
                                                                              {"MiB", 1ULL << 20},
                                                                              {"GiB", 1ULL << 30},
                                                                              {"TiB", 1ULL << 40},
                                                                              {"kB", 1'000},
                                                                              {"MB", 1'000'000},
                                                                              {"GB", 1'000'000'000},
                                                                              {"TB", 1'000'000'000'000},
                                                                              {"K", 1ULL << 10},
                                                                              {"k", 1ULL << 10},
                                                                              {"M", 1ULL << 20},
                                                                              {"G", 1ULL << 30},
                                                                              {"T", 1ULL << 40},
                                                                              {"B", 1},
                                                                              {"", 1}}};
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
