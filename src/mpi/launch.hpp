// Finds out how this process was started, and starts the program again under an MPI launcher.
#pragma once

#include <rankpool/options.hpp>

#include <string>

namespace rankpool::detail {

enum class start {
  inline_,   ///< one process, in which the tasks run
  ranks,     ///< a launcher has started several ranks
  launcher,  ///< no launcher has started this process: start one
  refused,   ///< this way of starting the program cannot work
};

struct launch {
  start how = start::inline_;
  int workers = 0;     ///< start::launcher: number of workers to start
  std::string reason;  ///< start::refused: the problem and the remedy
};

/// Finds out from the environment how this process was started. `program`: the program's name in messages.
launch find_launch(const std::string& program);

/// Runs this program again with `workers` + 1 ranks under mpirun and returns its exit status: 128 + n after signal n, 75 after a
/// signal that stopped the run early. The ranks end before it returns. They also end if this process is killed by SIGKILL.
/// Blocks: until the ranks have ended.
int launch_self(int argc, char** argv, int workers, const run_options& options);

}  // namespace rankpool::detail
