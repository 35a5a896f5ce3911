// A file for decoders written in C: a FILE that closes itself and says why it cannot be opened; and how one is known again.
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

/// Throws: picture_error.
inline input_file open_input_file(const std::string& path) {
  struct stat status {};
  const bool is_known = ::stat(path.c_str(), &status) == 0;
  if (is_known && S_ISDIR(status.st_mode)) throw picture_error(path + ": is a folder");
  if (is_known && !S_ISREG(status.st_mode)) throw picture_error(path + ": is not a regular file");  // it is read more than once
  input_file file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw picture_error(path + ": cannot be read: " + std::strerror(errno));
  return file;
}

/// What tells a file from one that has taken its place, and from itself with other contents. Without the device, whose number is
/// another one on each node for a network file system.
struct file_version {
  std::uint64_t inode = 0;
  std::int64_t bytes = 0;
  std::int64_t seconds = 0;  // of its last modification
  std::int64_t nanoseconds = 0;
  friend bool operator==(const file_version&, const file_version&) = default;
  /// What a journal knows a file by: a copy that keeps its time is the same.
  file_version without_inode() const { return {0, bytes, seconds, nanoseconds}; }

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& inode& bytes& seconds& nanoseconds;
  }
};

inline file_version version_in(const struct stat& status) {
  return {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

/// Throws: picture_error that names `path`.
inline file_version version_of(const input_file& file, const std::string& path) {
  struct stat status {};
  if (::fstat(::fileno(file.get()), &status) != 0) throw picture_error(path + ": cannot be read: " + std::strerror(errno));
  return version_in(status);
}

/// Without its inode. Empty if there is no such file.
inline std::optional<file_version> version_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? std::optional(version_in(status).without_inode()) : std::nullopt;
}

}  // namespace jobs
