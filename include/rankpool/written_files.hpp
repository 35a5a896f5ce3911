// written_files: which files the runs with a journal wrote. It is the rule for what result files may overwrite.
#pragma once

#include <rankpool/journal.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rankpool {

/// Returns one path for all paths of a file: absolute, and with symbolic links resolved, whether the file exists or not. Returns
/// `path` itself if it is empty or cannot be resolved. A task that gets this path as an argument is the same task in each run with
/// a journal, from whichever folder the run is started.
std::string canonical_path(const std::string& path);

/// The size and the modification time of a file. The versions differ once somebody has edited or replaced the file; a copy with the
/// same modification time has the same version.
struct file_version {
  std::int64_t size_bytes = 0;
  std::int64_t seconds = 0;      // of the modification time, since 1970
  std::int64_t nanoseconds = 0;  // of the modification time, 0 to 999,999,999

  /// Returns the version of the file that `path` leads to, or nothing if it cannot be found.
  static std::optional<file_version> of(const std::string& path);

  friend bool operator==(const file_version&, const file_version&) = default;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& size_bytes& seconds& nanoseconds;
  }
};

/// The files that runs with a journal wrote, kept in that journal. A run may overwrite a file only in one of two cases: its caller
/// asks for it, or a run with the same journal wrote the file and nobody has changed it since. result_file and result_files follow
/// this rule; a program that writes files in another way can follow it too:
///
///   rankpool::written_files written(kept);
///   if (written.is_taken("summary.txt")) return complain();
///   rankpool::unfinished_file file("summary.txt");
///   print_summary(file.descriptor());
///   file.finish(written);
///
/// Only rank 0 uses it. A path and the symbolic links that lead to it are the same file, from whichever folder.
///
/// Thread safety: one thread at a time uses an object. Several objects may use one journal.
class written_files {
 public:
  /// Without a journal, no file is known.
  explicit written_files(const journal& kept = {});

  /// Returns whether it has a journal.
  bool has_journal() const { return has_journal_; }

  /// Returns whether a run with the journal wrote the file, and nobody has changed it since.
  /// Throws: journal_error.
  bool contains(const std::string& path);

  /// Returns whether `path` is the name of a file that must not be overwritten: it exists, `overwrite` is not set, and contains()
  /// is false. A dangling symbolic link is not taken; the file that it leads to can be created.
  /// Throws: journal_error.
  bool is_taken(const std::string& path, bool overwrite = false);

  /// Notes that the run wrote files of these versions, and writes the journal to the disk. Call it before the files get their
  /// names, so that a run that is killed in between leaves no file that it does not know. Without a journal, it does nothing.
  /// Throws: journal_error.
  /// Blocks: until the journal is on the disk.
  void add(const std::vector<std::pair<std::string, file_version>>& files);

 private:
  void read_notes();

  journal journal_;
  bool has_journal_;
  std::size_t notes_ = 0;                                   // of the journal that have been read
  std::map<std::string, std::vector<file_version>> files_;  // by canonical path
};

}  // namespace rankpool
