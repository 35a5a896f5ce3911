// Processes that tasks have left with the stdout or stderr of their rank. The launcher copies the output of a rank until no process
// can write to it, so they would keep the run from ending.
//
// They have left_process_time to end by themselves. Then the rank kills those that it can attribute to itself. A self-launched
// program also kills the others on its node (launcher_process).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace rankpool::detail {

constexpr auto left_process_time = std::chrono::seconds(5);

// ---- in a rank

/// Remembers the streams and the children of this process, before it runs tasks. `rank`: the name of this rank.
void note_streams(const std::string& rank);
/// Kills the processes that tasks of this process have left with its streams, and logs a line that names them: its descendants, and
/// orphans in its process group if it leads one. Orphans in other groups cannot be told from other processes of the user.
/// Does nothing if note_streams() was not called. Call it when MPI is finalised.
/// Blocks: until there are none, at most left_process_time.
void end_left_processes();

// ---- in the process that has started the launcher

/// Returns the number of the launcher's children, which are ranks of this node and its connections to other nodes. Nothing if /proc
/// does not tell.
std::optional<std::size_t> number_of_children(pid_t launcher);
/// Returns the processes, other than the launcher, that can write to a pipe or a terminal from which the launcher reads.
std::vector<pid_t> holders_of_output(pid_t launcher);
/// Returns the pid and the name of a process, such as "1234 (sleep)".
std::string process_name(pid_t process);
/// Returns the message about killed processes. `who`: has left them. `processes`: their names.
std::string left_message(const std::string& who, const std::vector<std::string>& processes);

}  // namespace rankpool::detail
