// A result file that workers write, each its own parts: rank 0 makes it with its full size, under a temporary name, and
// names it when all parts are there. The path must be one that every node sees.
//
// With a journal the file is the same for all runs: one that is finished is left as it is, one that is not is gone on with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "support/file_io.hpp"
#include "engine/output.hpp"
#include "support/unfinished_file.hpp"

namespace jobs {

/// What the name of a file that is not finished ends in: ".part-" and a random number, the same in all runs with the journal.
/// Throws: journal_error.
std::string suffix_of_parts(rankpool::journal& journal);

class parts_output {
 public:
  /// Reserves `bytes` beside `options.path`, so that a full disk is found out now. `role`: tells it from other files of the job.
  /// Throws: output_error; usage_error if the journal is of parts that went into another file.
  parts_output(job_run& run, const output_options& options, std::uint64_t bytes, const std::string& role = "output");
  /// Removes what an earlier run with the journal has left of such a file, which nobody needs any more.
  static void remove_remains(job_run& run, const output_options& options, const std::string& role);

  /// An earlier run has given it its name. Then there is no path(), and nothing to do.
  bool is_finished() const { return !unfinished_; }

  /// A later run may go on with it: what a task has written must be on the disk before it counts as finished.
  bool is_kept() const { return kept_; }
  /// Of the file while it is written: workers open it with file::mode::write.
  const std::string& path() const { return unfinished_->path(); }
  /// Throws: file_error.
  void write(std::span<const std::byte> from, std::uint64_t offset) const { parts_->write(from, offset); }
  /// It is not wanted any more, whatever it was kept for.
  void discard() { unfinished_->discard(); }
  /// All parts are written: gives the file its name. Throws: output_error, journal_error.
  void finish();

 private:
  const std::string name_;
  const bool replace_;
  const bool kept_;
  rankpool::journal journal_;
  std::unique_ptr<unfinished_file> unfinished_;
  std::optional<file> parts_;
};

}  // namespace jobs
