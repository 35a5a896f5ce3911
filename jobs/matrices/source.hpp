// A matrix as tasks receive it: a .npy file whose part a task reads, or a seed from which the task generates its part.
//
// A source is a description of about 100 bytes that is sent with each task; the numbers are never sent.
#pragma once

#include <cstdint>
#include <rankpool/result_file.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "support/mixed.hpp"
#include "support/npy.hpp"

namespace jobs {

/// A part of a matrix: rows [row, row + rows) of columns [column, column + columns).
struct block {
  std::uint64_t row = 0;
  std::uint64_t column = 0;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;

  std::uint64_t count() const { return rows * columns; }
  block transposed() const { return {column, row, columns, rows}; }
  friend bool operator==(const block&, const block&) = default;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& row& column& rows& columns;
  }
};

struct matrix_source {
  std::string path;  // empty: generated from `seed`
  element_type type = element_type::int64;
  bool fortran_order = false;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t data_offset = 0;  // bytes before the first number of the file
  std::uint64_t seed = 0;

  bool is_generated() const { return path.empty(); }
  block whole() const { return {0, 0, rows, columns}; }
  /// Returns the distance in numbers between neighbours along the slower index.
  std::uint64_t stride() const { return fortran_order ? rows : columns; }
  /// Returns the offset of a number in the file, in bytes.
  std::uint64_t offset_of(std::uint64_t row, std::uint64_t column) const {
    const std::uint64_t index = fortran_order ? column * rows + row : row * columns + column;
    return data_offset + index * size_of(type);
  }
  /// Returns the same file with rows and columns swapped: only the order changes. Not for a generated matrix.
  matrix_source transposed() const {
    matrix_source other = *this;
    std::swap(other.rows, other.columns);
    other.fortran_order = !fortran_order;
    return other;
  }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& path& type& fortran_order& rows& columns& data_offset& seed;
  }
};

/// A matrix in a file that tasks write and later read.
struct matrix_target : matrix_source {
  rankpool::result_writer writer;  // empty: the file is already complete

  matrix_target(matrix_source where = {}, rankpool::result_writer by = {})  // NOLINT(google-explicit-constructor)
      : matrix_source(std::move(where)), writer(std::move(by)) {}
  matrix_target transposed() const { return {matrix_source::transposed(), writer}; }

  template <class Archive>
  void serialize(Archive& archive, unsigned version) {
    matrix_source::serialize(archive, version);
    archive& writer;
  }
};

/// Two matrices, and the file of their product or sum: what all tasks of a job have in common.
struct matrix_work {
  matrix_source a;
  matrix_source b;
  matrix_target target;  // empty if the result is printed

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& target;
  }
};

/// Returns the matrix in a .npy file. Throws: usage_error that names the file, also if it does not have two dimensions.
matrix_source stored_matrix(const std::string& path);

/// Returns a matrix of integers from -9 to 9 or fractions in [-1, 1). Each depends only on the seed and its position.
matrix_source generated_matrix(element_type type, std::uint64_t rows, std::uint64_t columns, std::uint64_t seed);

/// Returns a description for messages, for example "A.npy (float64, 3 x 4)".
std::string describe(const matrix_source& matrix);

/// Returns the number at `index` (in C order) of a generated matrix.
template <class T>
T generated_value(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t random = random_bits(seed, index);
  if constexpr (std::is_same_v<T, double>) {
    return static_cast<T>(random >> 11) * 0x1p-52 - 1;
  } else if constexpr (std::is_same_v<T, float>) {
    return static_cast<T>(random >> 40) * 0x1p-23F - 1;
  } else {
    return static_cast<T>((random >> 32) * 19 >> 32) - 9;
  }
}

}  // namespace jobs
