// Where a task puts its part of a result: into the file that rank 0 has made with its full size.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "matrices/source.hpp"
#include "support/file_io.hpp"

namespace jobs {

/// For a file in C order. close() when all is written.
class matrix_writer {
 public:
  /// Throws: file_error.
  explicit matrix_writer(matrix_source target) : target_(std::move(target)), file_(target_.path, file::mode::write) {}

  /// `from`: the numbers of `part`, row after row. Throws: file_error.
  template <class T>
  void write(const block& part, std::span<const T> from) const {
    if (part.columns == target_.columns) {
      file_.write_items(from.first(part.count()), target_.offset_of(part.row, 0));
      return;
    }
    for (std::uint64_t i = 0; i < part.rows; ++i) {
      file_.write_items(from.subspan(i * part.columns, part.columns), target_.offset_of(part.row + i, part.column));
    }
  }

  /// Throws: file_error, for what the file system tells only now.
  void close() {
    if (target_.durable) file_.sync();
    file_.close();
  }

 private:
  matrix_source target_;
  file file_;
};

}  // namespace jobs
