// journal: a file that keeps the results of finished tasks, from which a later run goes on.
#pragma once

#include <filesystem>
#include <memory>
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
/// locked as long as any handle on it lives. What a task reads or changes besides its arguments is not seen: the values behind
/// `shared` handles, files, clocks.
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

 private:
  friend struct detail::journal_access;
  std::shared_ptr<detail::journal_file> file_;
};

}  // namespace rankpool
