// What /proc tells of the processes of this node.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <vector>

namespace rankpool::detail {

struct process_entry {
  pid_t process = 0;
  char state = 0;  ///< a letter, as proc(5) has it
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;

  /// Returns whether it has not ended.
  bool is_running() const { return state != 'Z' && state != 'X'; }
};

/// Returns nothing if there is no such process, or no /proc.
std::optional<process_entry> find_process(pid_t process);
/// Returns whether a process has ended. Blocks: until it has, for the time `at_most`.
bool ends_within(pid_t process, std::chrono::nanoseconds at_most);
/// Returns the processes in no particular order. Empty if there is no /proc.
std::vector<process_entry> all_processes();

}  // namespace rankpool::detail
