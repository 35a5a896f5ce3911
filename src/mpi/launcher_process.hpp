// Runs the MPI launcher for a program that the user started without one, and ensures that no rank outlives it.
//
// The launcher and its ranks form a session of their own. Signals to the user's process group, from the terminal or from
// timeout(1), therefore reach this process alone, which ends the launch. mpirun must not get such signals directly, because it
// exits without its ranks if it gets the same signal twice.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rankpool::detail {

/// How a launch ended.
struct launch_end {
  int start_error = 0;  ///< errno if the launcher could not be started; then no other member is set
  int wait_status = 0;  ///< status of the launcher, as waitpid() returns it
  /// Whether rank 0 has connected and begun; also true if it does not run on this node.
  bool has_begun = false;
  /// The signal to this process that ended the launch; 0 if none did. SIGPIPE: the reader of the ranks' output closed the pipe.
  int signal = 0;
  /// The signal that stopped the run early, before or after rank 0 began; 0 if none did.
  int stop_signal = 0;
  std::optional<int> program_status;  ///< the exit status of rank 0, or what run() returned there
  int rank_0_signal = 0;              ///< the signal that ended rank 0, if it is known
  bool failed_at_start = false;       ///< with recovery: a rank of this node ended before all ranks were ready
  bool exceeded_start_limit = false;  ///< with recovery: not all ranks were ready in time
  bool had_orphaned_ranks = false;    ///< rank 0 was running when the launcher ended, and was terminated
  bool launcher_was_killed = false;   ///< the launcher did not end in time
  bool launcher_was_idle = false;     ///< the launcher did not exit after all ranks had ended, and was terminated
  bool was_silent = false;            ///< nothing was written to the stdout or stderr of the launcher
  int output_error = 0;               ///< errno of a failed write of the ranks' output to stdout or stderr
  std::vector<std::string> left;      ///< processes of tasks that kept the launcher waiting, and were killed
  std::vector<pid_t> survivors;       ///< processes on this node that SIGKILL did not end
};

/// Runs the launcher until every process of the launch on this node has ended. Kills the processes that tasks have left and that
/// keep the launcher waiting for longer than left_process_time (left_processes.hpp).
///
/// A terminating signal to this process ends the launch: the processes get SIGTERM, and SIGKILL if they still run 2 s later
/// (mpirun: 2.5 s). With `stops_on_signal`, rank 0 gets the first SIGINT, SIGTERM or SIGUSR1, once, and stops early. If rank 0 has
/// not begun, the signal ends the launch. A repetition within half a second is ignored; a later signal ends the launch. SIGTSTP
/// and SIGCONT stop and continue the processes of this node.
///
/// `has_recovery`: the launcher lets the other ranks run on when one ends, and its status says nothing about them. Until all
/// ranks are ready, the end of a rank of this node, or the end of `start_limit`, ends the launch, because the others could wait for
/// ever. Throws: std::system_error if this process lacks descriptors or threads. Blocks: until the processes have ended.
launch_end run_launcher(char* const* arguments, bool stops_on_signal, bool has_recovery, std::chrono::seconds start_limit);

}  // namespace rankpool::detail
