// An input file for decoders written in C: a FILE that closes itself, clear errors on opening, and detection of modified files.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "image/picture.hpp"

namespace jobs {

struct close_input {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using input_file = std::unique_ptr<std::FILE, close_input>;

/// Opens a regular file for reading. Throws: picture_error.
inline input_file open_input_file(const std::string& path) {
  struct stat status {};
  const bool is_known = ::stat(path.c_str(), &status) == 0;
  if (is_known && S_ISDIR(status.st_mode)) throw picture_error(path + ": is a folder");
  if (is_known && !S_ISREG(status.st_mode)) throw picture_error(path + ": is not a regular file");  // read more than once
  input_file file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw picture_error(path + ": cannot be read: " + std::strerror(errno));
  return file;
}

/// Identifies the contents of a file: it differs if the file was replaced or modified. It excludes the device number, which
/// differs between nodes for a network file system.
struct file_version {
  std::uint64_t inode = 0;
  std::int64_t bytes = 0;
  std::int64_t seconds = 0;  // time of the last modification
  std::int64_t nanoseconds = 0;
  friend bool operator==(const file_version&, const file_version&) = default;
  /// Returns the version that a journal stores. A copy of the file with the same modification time has the same version.
  file_version without_inode() const { return {0, bytes, seconds, nanoseconds}; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& inode& bytes& seconds& nanoseconds;
  }
};

inline file_version version_in(const struct stat& status) {
  return {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

/// Returns the version of an open file. Throws: picture_error that names `path`.
inline file_version version_of(const input_file& file, const std::string& path) {
  struct stat status {};
  if (::fstat(::fileno(file.get()), &status) != 0) throw picture_error(path + ": cannot be read: " + std::strerror(errno));
  return version_in(status);
}

/// Returns the version of the file without its inode. Empty if the file does not exist.
inline std::optional<file_version> version_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? std::optional(version_in(status).without_inode()) : std::nullopt;
}

}  // namespace jobs
