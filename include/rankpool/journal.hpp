// journal: a file that keeps the results of finished tasks, from which a later run goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace rankpool {

namespace detail {
class journal_file;
struct journal_access;
}  // namespace detail

/// A handle on a journal, for `map_options::journal`. While a call with it runs, the result of each finished piece is written to
/// the file, at most a second later. A call in a later run of the same build takes them from there and computes what is missing:
/// calls are told apart by their function, its bound arguments and their order, pieces by their input. Tasks that fail are
/// noted, and run again.
///
/// One SQLite database (and beside it, while it is open, a file NAME-wal), of which rank 0 alone has the use, and which is
/// locked as long as any handle on it lives. What a task reads or changes besides its arguments and `shared` values is not seen:
/// files, clocks.
class journal {
 public:
  /// None: nothing is kept.
  journal() = default;
  /// Opens `file`, or makes it. `subject` says what the run is about; a journal of another subject is refused.
  /// Throws journal_error: of another subject or build, damaged, locked by another run, not writable, no journal.
  journal(const std::filesystem::path& file, const std::string& subject = {});  // NOLINT(google-explicit-constructor)
  journal(const char* file) : journal(std::filesystem::path(file)) {}           // NOLINT(google-explicit-constructor)
  journal(const std::string& file) : journal(std::filesystem::path(file)) {}    // NOLINT(google-explicit-constructor)

  /// Blocks until all that has finished is in the file. Throws journal_error if it could not be written.
  void commit();

  /// What an earlier run has said under this name, else `value`, which later runs will be told: for decisions that results depend
  /// on, such as into how many parts the work is divided, a seed, or the name of a file that tasks write. Without a journal
  /// `value`. Throws journal_error.
  std::string recall(const std::string& name, const std::string& value);

  /// What has been said under this name, in this run or an earlier one, if anything. Throws journal_error.
  std::optional<std::string> recalled(const std::string& name) const;

  /// Whether an earlier run has begun this journal.
  bool resumes() const;
  /// Pieces and submitted tasks whose results were taken from earlier runs so far.
  std::uint64_t taken_over() const;

 private:
  friend struct detail::journal_access;
  std::shared_ptr<detail::journal_file> file_;
};

}  // namespace rankpool
