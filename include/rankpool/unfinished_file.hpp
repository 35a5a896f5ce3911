// unfinished_file: a file that is being written under a temporary name, which nobody mistakes for a finished result.
#pragma once

#include <rankpool/written_files.hpp>

#include <cstdint>
#include <string>

namespace rankpool {

/// A new file that one process writes. It has a temporary name until finish() gives it the final one, so a file with the final name
/// is complete. Whatever ends the program early removes it: an exception removes it through the destructor; SIGINT, SIGTERM and
/// SIGHUP through a handler. SIGKILL leaves it, under its temporary name. No later process removes it, because nobody can
/// tell whether a process on another host or in another container is still writing it.
///
/// The temporary name is the final one with ".part-" and the process id. If the final name is a symbolic link, the temporary file
/// is created beside the file that the link leads to, and replaces that file. The link remains.
///
/// Errors are std::system_error with the operating system's error number.
///
/// Thread safety: one thread at a time uses an object. Different objects are independent.
class unfinished_file {
 public:
  /// Creates the temporary file. The first call in a process installs the signal handlers.
  /// Throws: std::system_error.
  explicit unfinished_file(const std::string& final_path);

  /// Creates the temporary file `temporary_path`, or opens it to continue it. It remains, even after signals, until finish() or
  /// discard().
  /// Throws: std::system_error.
  unfinished_file(const std::string& final_path, const std::string& temporary_path);

  /// Closes the file. Removes it, unless finish() has named it or it is to be continued.
  ~unfinished_file();
  unfinished_file(const unfinished_file&) = delete;
  unfinished_file& operator=(const unfinished_file&) = delete;

  /// Returns a descriptor for writing; -1 after finish().
  int descriptor() const { return descriptor_; }
  /// Returns the temporary path.
  const std::string& path() const { return path_; }

  /// Reserves space for `bytes` bytes and extends the file to this size, so that a full disk is found before the work. Where the
  /// file system cannot reserve, the file is only extended.
  /// Throws: std::system_error.
  void reserve(std::uint64_t bytes);

  /// Makes the destructor remove a file that is to be continued.
  void discard() { remains_ = false; }

  /// Closes the file and gives it its final name. It replaces a regular file of that name only if `overwrite` is set, and a device,
  /// a FIFO or a symbolic link that has taken the name never.
  /// Throws: std::system_error; EEXIST if the name is taken. After an error, the temporary file is removed, unless it is to be
  /// continued.
  void finish(bool overwrite);

  /// Gives the file its final name by the rule of written_files. With a journal, the contents, a note in the journal and the name
  /// are on the disk when it returns, in this order.
  /// Throws: std::system_error; EEXIST if written_files::is_taken(). journal_error.
  /// Blocks: with a journal, until all is on the disk.
  void finish(written_files& written, bool overwrite = false);

 private:
  std::string final_path_;
  std::string path_;
  int descriptor_ = -1;
  int slot_ = -1;  // of the table for the signal handler
  bool remains_ = false;
};

/// Installs the signal handlers now. Otherwise the first unfinished_file does it. A handler that is installed later may call these
/// as the previous ones; run_options::stop_on_signal does so after a second signal.
void remove_unfinished_files_on_signals();

}  // namespace rankpool
