// Small matrices of whole numbers, as the tutorial has them: rows that travel and print as lists.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "support/output.hpp"

namespace jobs {

using row = std::vector<std::int64_t>;
using matrix = std::vector<row>;

/// Entries from -9 to 9 that follow from `seed` alone, on every system.
inline matrix random_matrix(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  matrix result(rows, row(columns));
  for (row& line : result) {
    for (auto& entry : line) entry = static_cast<std::int64_t>(random() % 19) - 9;
  }
  return result;
}

/// Prints `[19, 22]` and a new line.
inline void print_row(output& out, const row& entries) {
  out.print('[');
  const char* separator = "";
  for (const auto entry : entries) out.print(std::exchange(separator, ", "), entry);
  out.print("]\n");
}

}  // namespace jobs
