// Prints rows of a matrix as lines of text, each like a Python list: [19, 22].
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include "support/decimal.hpp"

namespace jobs {

/// Returns the shortest decimal that is read back as `value` in its type.
template <class T>
std::string text_of(T value) {
  if constexpr (std::is_same_v<T, float>) {
    if (!std::isfinite(value)) return decimal_text(static_cast<double>(value));
    char buffer[32];
    const char* const end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    double shortest = 0;
    std::from_chars(buffer, end, shortest);
    return decimal_text(shortest);
  } else if constexpr (std::is_same_v<T, double>) {
    return decimal_text(value);
  } else {
    return std::to_string(value);
  }
}

template <class T>
std::string text_of_rows(std::span<const T> numbers, std::uint64_t columns) {
  std::string text;
  for (std::uint64_t i = 0; i < numbers.size(); ++i) {
    text += i % columns == 0 ? "[" : ", ";
    text += text_of(numbers[i]);
    if (i % columns == columns - 1) text += "]\n";
  }
  return text;
}

}  // namespace jobs
