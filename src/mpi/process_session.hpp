// The processes of a session: the MPI launcher of a self-launched program, its ranks, and the processes that these have started.
#pragma once

#include <sys/types.h>

#include <vector>

namespace rankpool::detail {

class process_session {
 public:
  /// `leader` is a process that has called setsid(). Its pid identifies the session until the process is waited for, even if it
  /// has ended.
  explicit process_session(pid_t leader) : leader_(leader) {}

  /// Returns the running processes of the session on this node, without zombies. Empty if there is no /proc.
  std::vector<pid_t> members() const;
  /// Returns whether `process` is a running process of the session.
  bool contains(pid_t process) const;
  /// Sends a signal to every member except `except`.
  void send(int signal, pid_t except = 0) const;

 private:
  pid_t leader_;
};

}  // namespace rankpool::detail
