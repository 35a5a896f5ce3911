// Sees to it that a command does not outlive its worker, however that ends, SIGKILL included.
//
// posix_spawn cannot ask for a signal on the parent's death, and that signal would reach the command alone, not what it
// has started. So each worker has a small shell beside it, in a session of its own, that waits for the end of a pipe. The
// kernel closes the pipe when the worker is gone; the shell then ends the process group that the worker has noted down.
#pragma once

#include <sys/types.h>

namespace jobs {

class command_guard {
 public:
  /// This process's guard, started at the first call. Throws: std::system_error.
  static command_guard& of_this_process();

  /// From now on the group is ended with this process.
  void watch(pid_t group);
  /// No group is; call it before the group's leader is waited for, after which its number may belong to others.
  void release();

 private:
  command_guard();

  int note_ = -1;  // a file in memory that the shell reads at the end
};

}  // namespace jobs
