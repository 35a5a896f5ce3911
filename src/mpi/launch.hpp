// How this process was started, and how it starts itself again under an MPI launcher.
#pragma once

#include <rankpool/options.hpp>

#include <string>

namespace rankpool::detail {

enum class start {
  inline_,   ///< one process: tasks run here
  ranks,     ///< a launcher has started several
  launcher,  ///< none has: start one
  refused,   ///< what started us cannot work
};

struct launch {
  start how = start::inline_;
  int workers = 0;     ///< launcher: how many to start
  std::string reason;  ///< refused: what is wrong and what to type
};

/// Reads the environment; `program` is the name to put into advice.
launch find_launch(const std::string& program);

/// Whether this process is the one of its launch that says what concerns all of them. Reads the environment.
bool speaks_for_launch();

/// Once MPI is initialised: marks the environment as this rank's own, by which a program that it starts knows that the
/// launcher's variables there are not meant for it. Only the first call does anything.
void mark_environment();

/// Runs this program again with `workers` + 1 ranks under mpirun and returns its exit status, 128 + n after signal n.
/// Signals that end this process are passed on first, so that no rank is left; SIGKILL ends them as well.
int launch_self(int argc, char** argv, int workers, const run_options& options);

}  // namespace rankpool::detail
