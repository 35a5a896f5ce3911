// Reads the results of a map into values that a test can compare in one line.
#pragma once

#include <exception>
#include <ranges>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace support {

/// Returns all items in the order of iteration. Throws: the error of the first item that failed.
template <class Results>
auto collect(Results&& results) {
  std::vector<std::remove_cvref_t<std::ranges::range_reference_t<Results>>> values;
  for (auto&& value : results) values.push_back(std::move(value));
  return values;
}

/// Returns every item as text; an item that failed is "error: " and its what(). Reads to the end, also after errors.
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

/// Reads to the end, discards the items and errors, and returns their number.
template <class Results>
int drain(Results&& results) {
  return static_cast<int>(readings(std::forward<Results>(results)).size());
}

}  // namespace support
