#include "support/in_words.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace jobs {

std::string iso_time(std::chrono::system_clock::time_point when) {
  using namespace std::chrono;
  const auto since = floor<milliseconds>(when.time_since_epoch());
  const std::time_t whole = duration_cast<std::chrono::seconds>(since).count();
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ", static_cast<int>(since.count() % 1000));
  return text.data();
}

std::string in_words(double number) {
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), number < 999.5 ? "%.3g" : "%.0f", number);
  return text.data();
}

std::string in_words(std::chrono::duration<double> time) {
  struct unit {
    const char* name;
    double seconds;
  };
  constexpr std::array<unit, 6> units{{{" d", 86'400}, {" h", 3600}, {" min", 60}, {" s", 1}, {" ms", 1e-3}, {" us", 1e-6}}};
  for (const unit& u : units) {
    // A value below 2 is clearer in the next smaller unit.
    if (const double many = u.seconds > 1 ? 2 : 1; time.count() >= many * u.seconds)
      return in_words(time.count() / u.seconds) + u.name;
  }
  return in_words(time.count() * 1e6) + " us";
}

std::string percent_in_words(double share) {
  std::array<char, 40> text{};
  const double percent = 100 * share;
  std::snprintf(text.data(), text.size(), percent < 9.95 ? "%.2g %%" : "%.0f %%", percent);
  return text.data();
}

std::string bytes_in_words(double size) {
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (size /= 1024; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  return in_words(size) + ' ' + units[unit];
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return grouped(number).append(" ").append(noun).append(number == 1 ? "" : "s");
}

std::string items_in_words(std::uint64_t first, std::uint64_t count) {
  if (count == 1) return "item " + std::to_string(first);
  return "items " + std::to_string(first) + " to " + std::to_string(first + count - 1);
}

}  // namespace jobs
