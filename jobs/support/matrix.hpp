// Small matrices of whole numbers, as the tutorial has them: rows that travel as vectors.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

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

}  // namespace jobs
