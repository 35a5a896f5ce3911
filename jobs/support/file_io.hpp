// Files that workers read themselves, at places of their own, and scratch files: pread and pwrite in full, with errors that name
// the file. What is opened for a moment on every rank must be a path that all nodes see. Results are written through the library's
// result_file and unfinished_file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace jobs {

/// A file could not be read or written; what() names it, the operation and the system's reason. No type of its own, so that it
/// arrives as itself when a task throws it.
using file_error = std::system_error;

/// Writes all of it, where the descriptor stands. 0, or errno.
[[nodiscard]] int write_all(int descriptor, std::string_view bytes);

/// Waits until the names in the folder of `path` are on the disk. Throws: file_error.
void sync_folder_of(const std::string& path);

/// An open file: one for reading, or a scratch file.
class file {
 public:
  /// Opens a file for reading. Throws: file_error.
  explicit file(std::string path);
  /// One for reading and writing that has no name and goes with its descriptor, in $TMPDIR or /tmp. Throws: file_error.
  static file scratch();
  file(file&& other) noexcept;
  file& operator=(file&& other) noexcept;
  ~file();

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  std::uint64_t size() const;

  /// Fills `into` from `offset`. Throws: file_error, also if the file ends before.
  void read(std::span<std::byte> into, std::uint64_t offset) const;
  /// For a scratch file. Throws: file_error.
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
