// Runs that are stopped early and resumed: --journal and --stop-before, as options of rankpool::run().
#pragma once

#include <optional>
#include <rankpool/rankpool.hpp>
#include <string>

namespace jobs {

struct resumable_options {
  std::string journal{};                    // file name; empty: no journal, so a signal ends the run at once
  std::optional<double> stop_before_end{};  // seconds before the end of a Slurm allocation

  /// Checks the options. Throws: usage_error if --stop-before is given and the end of the allocation is unknown.
  void check() const;
  /// Returns whether the journal already exists. If so, results of earlier runs may exist, too.
  bool resumes() const;
  /// Returns the options of the run: with a journal, a signal or the approaching end of the allocation stops the run early.
  rankpool::run_options run_options() const;
};

}  // namespace jobs
