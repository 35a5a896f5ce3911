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

/// An open file that is whole, and is to have this name, is from a run with the journal: notes when it was written, and has the
/// file say so. Without a journal nothing. Throws: std::system_error, journal_error.
void note_written(rankpool::journal& journal, int descriptor, const std::string& path);
/// Whether the file of this name is one of those, and nobody has written it since.
bool has_written(const rankpool::journal& journal, const std::string& path);

/// Adds both to a job.
void add_resumable(CLI::App& job, resumable_options& options);

}  // namespace jobs
