// Access of a task to its part of a matrix: either a copy, with rows contiguous whatever the order of the file, or the file mapped
// read-only, which all processes of a node share through the page cache.
//
// A copy costs a known amount of memory. A mapping allocates none, but counts in the resident size of the process.
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
  /// Opens the file, if the matrix is one. Throws: file_error.
  explicit matrix_reader(matrix_source source);

  const matrix_source& source() const { return source_; }

  /// Reads the numbers of `part`, row after row, into the beginning of `into`. T is the matrix's type. Throws: file_error.
  template <class T>
  void read(const block& part, std::span<T> into);

  /// Returns one number. Throws: file_error.
  template <class T>
  T at(std::uint64_t row, std::uint64_t column) const;

 private:
  template <class T>
  void read_rows(const matrix_source& source, const block& part, std::span<T> into) const;

  matrix_source source_;
  std::optional<file> file_;        // empty: the matrix is generated
  std::vector<std::byte> columns_;  // buffer for columns of a file in Fortran order
};

/// A memory-mapped file. Read it only within can_look().
class mapped_file {
 public:
  /// Maps the file. Throws: file_error, also if the file has fewer than `bytes` bytes.
  mapped_file(const std::string& path, std::uint64_t bytes);
  ~mapped_file();
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;

  const std::byte* data() const { return data_; }
  /// Checks that the file was not truncated: the rest of the last page would read as zeros. Throws: file_error.
  void check() const;

 private:
  file file_;
  std::uint64_t size_;
  const std::byte* data_ = nullptr;
};

/// Calls `look`, which reads mapped files and must not own resources. Returns false instead of dying of SIGBUS if a page cannot be
/// read, for example because the file was truncated.
bool can_look(const std::function<void()>& look);

/// Sets into[r * columns + c] = from[c * rows + r], in squares as wide and high as a cache line.
template <class T>
void transpose(const T* from, std::uint64_t rows, std::uint64_t columns, T* into);

}  // namespace jobs
