// A file being written under a temporary name, which nobody can mistake for a finished result.
//
// Whatever ends the program early removes it: an exception through the destructor, SIGINT, SIGTERM and SIGHUP through
// a handler that only unlinks. SIGKILL leaves it behind, but never under the final name: nobody can tell whether a process of
// another host or container still writes it, so it is not removed by the next one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace jobs {

/// Where a file of this name is or will be: the name itself, or what symbolic links of that name lead to, up to a link for which
/// `is_last`.
std::string behind_links(const std::string& path, const std::function<bool(const std::filesystem::path&)>& is_last = {});

/// Before anybody else takes these signals, who may give them back. Else the first file does it.
void remove_unfinished_on_signals();

/// Gives a file its final name, as unfinished_file::finish(). Throws: std::system_error with errno.
void name_file(const std::string& path, const std::string& final_path, bool replace);

class unfinished_file {
 public:
  /// Creates .part-PID beside the final name, or beside what that is a symbolic link to. Throws: std::system_error with errno.
  explicit unfinished_file(const std::string& final_path);
  /// Creates the file `path`, or goes on with it. It stays whatever happens until it is finished. Throws: std::system_error with
  /// errno.
  unfinished_file(const std::string& final_path, const std::string& path);
  /// Removes the file unless finish() has named it.
  ~unfinished_file();
  unfinished_file(const unfinished_file&) = delete;
  unfinished_file& operator=(const unfinished_file&) = delete;

  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }

  /// Makes room for so many bytes, so that a full disk is found out before the work. Throws: std::system_error with errno.
  void reserve(std::uint64_t bytes);

  /// Nothing will go on with it: the destructor removes it.
  void discard() { stays_ = false; }

  /// Closes the file and gives it its final name; without `replace` a file of that name is an error (EEXIST). A device, a FIFO
  /// or a symbolic link that has taken the name in the meantime is one in any case: only a regular file is ever replaced.
  /// Throws: std::system_error with errno, also for what the file system reports only on closing.
  void finish(bool replace);

 private:
  std::string final_path_;
  std::string path_;
  int descriptor_ = -1;
  int slot_ = -1;  // where the signal handler finds it
  bool stays_ = false;
};

}  // namespace jobs
