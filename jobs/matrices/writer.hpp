// Writes a task's part of a result into the file that rank 0 created with its full size.
#pragma once

#include <cstdint>
#include <rankpool/result_file.hpp>
#include <span>

#include "matrices/source.hpp"

namespace jobs {

/// Writes to a file in C order. Call finish() after the last write.
class matrix_writer {
 public:
  /// Opens the file. Throws: file_error.
  explicit matrix_writer(const matrix_target& target) : target_(target), part_(target.writer) {}

  /// Writes `from`, the numbers of `part`, row after row. Throws: file_error.
  template <class T>
  void write(const block& part, std::span<const T> from) const {
    if (part.columns == target_.columns) {
      part_.write(std::as_bytes(from.first(part.count())), target_.offset_of(part.row, 0));
      return;
    }
    for (std::uint64_t i = 0; i < part.rows; ++i) {
      part_.write(std::as_bytes(from.subspan(i * part.columns, part.columns)), target_.offset_of(part.row + i, part.column));
    }
  }

  /// Closes the file. Throws: file_error for write errors that the file system reports late.
  void finish() { part_.finish(); }

 private:
  matrix_source target_;
  rankpool::result_part part_;
};

}  // namespace jobs
