// Reading what `map` yields into something that a test can compare in one line.
#pragma once

#include <exception>
#include <ranges>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace support {

/// All items, in the order they come; the first that failed throws.
template <class Results>
auto collect(Results&& results) {
  std::vector<std::remove_cvref_t<std::ranges::range_reference_t<Results>>> values;
  for (auto&& value : results) values.push_back(std::move(value));
  return values;
}

/// Every item as text, a failed one as "error: what()": reading goes on past errors, to the very end.
template <class Results>
std::vector<std::string> readings(Results&& results) {
  std::vector<std::string> lines;
  for (auto item = std::ranges::begin(results); item != std::ranges::end(results); ++item) {
    try {
      std::ostringstream line;
      line << *item;
      lines.push_back(line.str());
    } catch (const std::exception& error) {
      lines.push_back("error: " + std::string(error.what()));
    }
  }
  return lines;
}

/// Reads to the end and throws away what is read, errors too; the number of items.
template <class Results>
int drain(Results&& results) {
  return static_cast<int>(readings(std::forward<Results>(results)).size());
}

}  // namespace support
