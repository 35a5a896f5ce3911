// The connection between rank 0 and the process that the user started, which bypasses the MPI launcher.
//
// Open MPI's launcher has these defects:
// - It copies stdout at some 70 MB/s, treats a full disk as success, and crashes when the reader closes the pipe.
// - It replaces stderr by a pipe, so a program in a terminal does not see the terminal.
// - It consumes stdin whether rank 0 reads it or not.
// - It loses a signal that arrives before its ranks are up.
// - Its exit status 130 may be the program's own or that of a rank killed by signal 2.
//
// Rank 0 therefore connects to the process that started the launcher, over a local socket. It receives permission to begin
// together with the user's streams, it can be signalled directly, and it reports its exit status. A rank 0 on another node
// cannot connect and begins without permission. The other ranks print through the launcher.
#pragma once

#include "mpi/termination.hpp"

#include <sys/types.h>

#include <optional>

namespace rankpool::detail {

/// The end of the connection in the process that starts the launcher.
class rank_0_control {
 public:
  /// Listens on a local socket and sets RANKPOOL_CONTROL for processes started from now on. Does nothing if the system has no
  /// local sockets or the launcher will start rank 0 on another node.
  rank_0_control();
  ~rank_0_control();
  rank_0_control(const rank_0_control&) = delete;
  rank_0_control& operator=(const rank_0_control&) = delete;

  /// Returns whether rank 0 can connect to the launcher and use its stdin, stdout and stderr. Then the launcher must not read
  /// stdin.
  bool is_offered() const { return offered_; }
  /// Returns a descriptor that is readable when on_readable() has something to do; -1 if it never will.
  int descriptor() const { return connection_ >= 0 ? connection_ : listener_; }
  /// Accepts rank 0's connection, and permits rank 0 to begin if `permitted` is true. Later calls read the status that it reports.
  void on_readable(bool permitted);

  /// Returns whether rank 0 has been permitted to begin, or cannot ask for permission.
  bool has_begun() const { return begun_ || !offered_; }
  /// Returns whether rank 0 has begun and run() has returned there, or its process has ended.
  bool has_ended() const { return begun_ && (status_ || connection_ < 0); }
  /// Returns the process id of rank 0; 0 until rank 0 has connected.
  pid_t process() const { return process_; }
  /// Returns whether rank 0 has reported that all ranks are ready.
  bool are_ranks_ready() const { return ready_; }
  /// Returns the value that run() returned on rank 0, or the exit status of rank 0 once it has ended; none: it has reported
  /// neither.
  std::optional<int> status() const { return status_; }
  /// Returns whether rank 0 has reported that a worker of another node was lost.
  bool has_remote_loss() const { return has_remote_loss_; }
  /// Returns the signal that has ended rank 0, if rank 0 has reported it; else 0.
  int signal() const { return signal_; }

 private:
  bool offered_ = false;
  int listener_ = -1;
  int connection_ = -1;
  bool begun_ = false;
  pid_t process_ = 0;
  bool ready_ = false;
  bool has_remote_loss_ = false;
  std::optional<int> status_;
  int signal_ = 0;
};

/// The end of the connection in a rank.
class launcher_control {
 public:
  /// Unsets RANKPOOL_CONTROL, so that no process that this rank starts can connect in its place. On rank 0 it also connects and
  /// replaces the standard streams of this process by the user's. It replaces stdin by a stream whose reads fail if the process
  /// that the user started is on another node or in the background of its terminal. Construct it after all ranks are up.
  /// Blocks: until rank 0 may begin.
  explicit launcher_control(bool is_rank_0);
  /// Keeps the connection until the process ends, and then reports its exit status, which main() may have chosen.
  ~launcher_control();
  launcher_control(const launcher_control&) = delete;
  launcher_control& operator=(const launcher_control&) = delete;

  /// Reports that all ranks are ready.
  void report_ready() const;
  /// Reports that run() is about to return `status`.
  void report(int status) const;
  /// Reports that a worker of another node was lost.
  void report_remote_loss() const;
  /// Reports the ending of this process. Does nothing if there is no connection. It may be called in a signal handler.
  static void report_ending(const termination& end);

 private:
  int connection_ = -1;
};

}  // namespace rankpool::detail
