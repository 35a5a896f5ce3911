// A file being written under a temporary name, which nobody can mistake for a finished result.
//
// Whatever ends the program early removes it: an exception through the destructor, SIGINT, SIGTERM and SIGHUP through
// a handler that only unlinks. SIGKILL leaves it behind, but never under the final name.
#pragma once

#include <cstdint>
#include <string>

namespace jobs {

class unfinished_file {
 public:
  /// Creates `final_path`.part-PID beside the final name. Throws: std::system_error with errno.
  explicit unfinished_file(std::string final_path);
  /// Removes the file unless finish() has named it.
  ~unfinished_file();
  unfinished_file(const unfinished_file&) = delete;
  unfinished_file& operator=(const unfinished_file&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }

  /// Makes room for so many bytes, so that a full disk is found out before the work. Throws: std::system_error with errno.
  void reserve(std::uint64_t bytes);

  /// Closes the file and gives it its final name; without `replace` a file of that name is an error (EEXIST).
  /// Throws: std::system_error with errno, also for what the file system reports only on closing.
  void finish(bool replace);

 private:
  std::string final_path_;
  std::string path_;
  int descriptor_ = -1;
  int slot_ = -1;  // where the signal handler finds it
};

}  // namespace jobs
