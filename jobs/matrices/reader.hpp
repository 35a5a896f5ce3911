// How a task gets at its part of a matrix: a copy of it, rows one after another whatever the order of the file; or the file
// itself, mapped read-only, which all processes of a node share through the page cache.
//
// A copy costs memory that the task knows beforehand. A map costs none, but counts in the resident size of who looks at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "matrices/source.hpp"
#include "support/file_io.hpp"

namespace jobs {

class matrix_reader {
 public:
  /// Throws: file_error.
  explicit matrix_reader(matrix_source source);

  const matrix_source& source() const { return source_; }

  /// The numbers of `part`, row after row, into the first part.count() of `into`. T is the matrix's type. Throws: file_error.
  template <class T>
  void read(const block& part, std::span<T> into);

  /// One number. Throws: file_error.
  template <class T>
  T at(std::uint64_t row, std::uint64_t column) const;

 private:
  template <class T>
  void read_rows(const matrix_source& source, const block& part, std::span<T> into) const;

  matrix_source source_;
  std::optional<file> file_;        // none: generated
  std::vector<std::byte> columns_;  // as they stand in a file in Fortran order
};

/// A file in memory, for reading within can_look().
class mapped_file {
 public:
  /// Throws: file_error, also if the file has less than `bytes`.
  mapped_file(const std::string& path, std::uint64_t bytes);
  ~mapped_file();
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;

  const std::byte* data() const { return data_; }
  /// Whether all of it is still there: what lies behind the end reads as noughts up to the end of its page. Throws: file_error.
  void check() const;

 private:
  file file_;
  std::uint64_t size_;
  const std::byte* data_ = nullptr;
};

/// Calls `look`, which reads mapped files and owns nothing meanwhile. False if it has come upon a page that cannot be read, as
/// behind the end of a file that somebody has cut short: otherwise a SIGBUS.
bool can_look(const std::function<void()>& look);

/// into[r * columns + c] = from[c * rows + r], by squares of a cache line each way.
template <class T>
void transpose(const T* from, std::uint64_t rows, std::uint64_t columns, T* into);

}  // namespace jobs
