// Runs that stop early and are resumed: --journal and --stop-before, as options of rankpool::run().
#pragma once

#include <optional>
#include <rankpool/rankpool.hpp>
#include <string>

namespace jobs {

struct resumable_options {
  std::string journal{};                    // a file; empty: no journal, and a signal ends the run at once
  std::optional<double> stop_before_end{};  // seconds before the end of a Slurm allocation

  /// Throws: usage_error if --stop-before is given and the end of the allocation is unknown.
  void check() const;
  /// Returns whether the journal exists already. Results may exist as well, written by the run that created it.
  bool resumes() const;
  /// With a journal, a signal stops the run early, and so does the approaching end of the allocation.
  rankpool::run_options run_options() const;
};

/// Notes in the journal that a run with it has written the open file that will be named `path`. Sets the file's modification time
/// to the noted one. Without a journal, it does nothing. Throws: std::system_error, journal_error.
void note_written(rankpool::journal& journal, int descriptor, const std::string& path);
/// Returns whether note_written() has noted the file of this name, and nobody has written it since.
bool has_written(const rankpool::journal& journal, const std::string& path);

}  // namespace jobs
