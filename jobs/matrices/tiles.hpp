// Divides a matrix into tiles, one per task: enough tiles to keep every worker busy until the end, and none larger than a task may
// hold.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ranges>

#include "matrices/source.hpp"

namespace jobs {

struct tiles {
  std::uint64_t rows = 0;  // of the matrix
  std::uint64_t columns = 0;
  std::uint64_t down = 0;  // number of tiles per column of tiles
  std::uint64_t across = 0;

  std::uint64_t count() const { return down * across; }

  /// Returns a tile. Tiles of the same columns are consecutive, because they read common data.
  block operator[](std::uint64_t index) const {
    const auto edge = [](std::uint64_t n, std::uint64_t extent, std::uint64_t parts) {
      return static_cast<std::uint64_t>(static_cast<unsigned __int128>(n) * extent / parts);
    };
    const std::uint64_t i = index % down;
    const std::uint64_t j = index / down;
    const std::uint64_t row = edge(i, rows, down);
    const std::uint64_t column = edge(j, columns, across);
    return {row, column, edge(i + 1, rows, down) - row, edge(j + 1, columns, across) - column};
  }
  auto all() const {
    return std::views::iota(std::uint64_t{0}, count()) | std::views::transform([cut = *this](std::uint64_t i) { return cut[i]; });
  }
};

/// Divides a matrix into tiles of at most `most_rows` by `most_columns`. An empty matrix has no tiles.
inline tiles cut(std::uint64_t rows, std::uint64_t columns, std::uint64_t most_rows, std::uint64_t most_columns) {
  const auto parts = [](std::uint64_t extent, std::uint64_t most) { return extent / most + (extent % most != 0); };
  if (rows == 0 || columns == 0) return {rows, columns, 0, 0};
  return {rows, columns, parts(rows, most_rows), parts(columns, most_columns)};
}

/// Divides a matrix into bands of whole rows of at most `most_count` numbers, or of one row if a row is longer.
inline tiles bands(std::uint64_t rows, std::uint64_t columns, std::uint64_t most_count) {
  return cut(rows, columns, std::max<std::uint64_t>(1, most_count / std::max<std::uint64_t>(1, columns)), columns);
}

/// Divides a matrix into parts that are contiguous in C order: bands, or parts of a row if a row exceeds `most_count` numbers.
inline tiles pieces(std::uint64_t rows, std::uint64_t columns, std::uint64_t most_count) {
  return columns <= most_count ? bands(rows, columns, most_count) : cut(rows, columns, 1, most_count);
}

}  // namespace jobs
