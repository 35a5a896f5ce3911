// Files that workers read directly, and scratch files. Reads and writes are complete (pread, pwrite), and errors name the file.
// Every rank opens the same path, so all nodes must see the file. Results are written through the library's result_file and
// unfinished_file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace jobs {

/// A file could not be read or written. what() names the file, the operation and the system's reason. It is an alias, so that the
/// exception type is preserved when a task throws it.
using file_error = std::system_error;

/// Writes all bytes at the current position of the descriptor. Returns 0 or errno.
[[nodiscard]] int write_all(int descriptor, std::string_view bytes);

/// An open file: an input file or a scratch file.
class file {
 public:
  /// Opens a file for reading. Throws: file_error.
  explicit file(std::string path);
  /// Creates a nameless file in $TMPDIR or /tmp, deleted when its descriptor is closed. Throws: file_error.
  static file scratch();
  file(file&& other) noexcept;
  file& operator=(file&& other) noexcept;
  ~file();

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  std::uint64_t size() const;

  /// Fills `into` from `offset`. Throws: file_error, also if the file ends too early.
  void read(std::span<std::byte> into, std::uint64_t offset) const;
  /// Writes to a scratch file. Throws: file_error.
  void write(std::span<const std::byte> from, std::uint64_t offset) const;

  template <class T>
  void read_items(std::span<T> into, std::uint64_t offset) const {
    read(std::as_writable_bytes(into), offset);
  }
  template <class T>
  void write_items(std::span<const T> from, std::uint64_t offset) const {
    write(std::as_bytes(from), offset);
  }

 private:
  file(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace jobs
