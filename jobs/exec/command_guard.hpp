// Terminates a command when its worker ends in any way, including SIGKILL.
//
// posix_spawn cannot request a signal on the parent's death, and that signal would reach only the command, not its children.
// Instead, a small shell in a session of its own runs beside each worker and waits for the end of a pipe. The kernel closes the
// pipe when the worker is gone; the shell then terminates the process group that the worker recorded.
#pragma once

#include <sys/types.h>

namespace jobs {

class command_guard {
 public:
  /// Returns the guard of this process, and starts it at the first call. Throws: std::system_error.
  static command_guard& of_this_process();

  /// Sets the process group to be terminated when this process ends.
  void watch(pid_t group);
  /// Clears the process group. Call it before waiting for the group's leader: later, its number may belong to another group.
  void release();

 private:
  command_guard();

  int note_ = -1;  // a file in memory with the process group, which the shell reads when the worker ends
};

}  // namespace jobs
