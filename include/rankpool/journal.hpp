// journal: a file that keeps the results of finished tasks, so that a later run can resume.
#pragma once

#include <rankpool/detail/codec/foreign_types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rankpool {

namespace detail {
class journal_file;
struct journal_access;
}  // namespace detail

/// A copyable handle on a journal, for executor_options::journal and map_options::journal. Each finished chunk or submitted task is
/// written to the file within a second. A later run of the same build restores these results and computes what is missing. It
/// recognises a call by its function, its bound arguments and its position among the calls, and a chunk by its input. It
/// recognises a submitted task by its function and arguments. Failed tasks are recorded, and run again. A result of more than 900
/// MB is not kept.
///
/// A journal is one SQLite database; while it is open, a file NAME-wal is part of it. Only rank 0 uses it. The file is locked as
/// long as any handle on it lives. A journal knows the arguments of a task and its shared values, but not other things that the
/// task reads, such as files or clocks.
///
/// Thread safety: any thread of rank 0 may call any member.
class journal {
 public:
  /// Constructs a handle on no journal: nothing is kept.
  journal() = default;

  /// Opens `file`, or creates it. Handles on the same file within a process share it. `subject` names the purpose of the run; a
  /// journal with another subject is refused.
  /// Throws: journal_error if the file has another subject or was written by another build, is damaged, is locked by another
  /// process, cannot be written, or is not a journal.
  /// Blocks: while it verifies the checksums of all results in the file; up to 3 s while another process has the file locked.
  journal(const std::string& file, const std::string& subject = {});  // NOLINT(google-explicit-constructor)
  // NOLINTNEXTLINE(google-explicit-constructor)
  journal(const char* file, const std::string& subject = {}) : journal(std::string(file), subject) {}
  template <detail::file_path Path>                           // a std::filesystem::path
  journal(const Path& file, const std::string& subject = {})  // NOLINT(google-explicit-constructor)
      : journal(file.native(), subject) {}

  /// Writes all finished results to the disk. Without a journal, it does nothing.
  /// Throws: journal_error if the file cannot be written.
  /// Blocks: until the results are on the disk.
  void commit();

  /// Returns the value that an earlier call stored under `name`, in this run or an earlier one. If none is stored, it stores and
  /// returns `value`. Use it for decisions that results depend on: a random seed, the number of parts that the work is divided
  /// into, or the name of a file that tasks write. Without a journal, it returns `value`.
  /// Throws: journal_error.
  std::string recall(const std::string& name, const std::string& value);

  /// Returns the value that recall() stored under `name`, in this run or an earlier one, if any.
  /// Throws: journal_error.
  std::optional<std::string> recalled(const std::string& name) const;

  /// Returns whether an earlier run created this journal.
  bool resumes() const;

  /// Returns how many chunks and submitted tasks were restored from earlier runs so far.
  std::uint64_t restored() const;

 private:
  friend struct detail::journal_access;
  std::shared_ptr<detail::journal_file> file_;
};

}  // namespace rankpool
