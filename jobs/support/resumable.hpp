// Runs that end early and are gone on with: what --journal and --stop-before say, in terms of the library.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <rankpool/rankpool.hpp>
#include <string>

namespace jobs {

struct resumable_options {
  std::string journal{};                    // a file; empty: nothing is kept, and a signal ends the run at once
  std::optional<double> stop_before_end{};  // seconds before the end of a Slurm allocation

  /// Throws: usage_error for --stop-before where no end is known.
  void check() const;
  /// Whether an earlier run has left a journal, which it may have written results with.
  bool resumes() const;
  /// With a journal a signal stops the run in good order, and so does the end of the allocation that is near.
  rankpool::run_options run_options() const;
};

/// Notes in the journal that a run with it has written the open file that will be named `path`. Sets the file's modification time
/// to the noted one. Without a journal, it does nothing. Throws: std::system_error, journal_error.
void note_written(rankpool::journal& journal, int descriptor, const std::string& path);
/// Returns whether note_written() has noted the file of this name, and nobody has written it since.
bool has_written(const rankpool::journal& journal, const std::string& path);

/// Adds both to a job.
void add_resumable(CLI::App& job, resumable_options& options);

}  // namespace jobs
