// The process that starts runner processes, and the supervisor of each.
//
// A rank cannot fork once it uses MPI and threads. So run() forks the fork server before it initialises MPI, and the server forks a
// runner whenever the rank asks for one. Between them is a supervisor: it is the runner's parent, passes on what the runner writes
// to stderr, records how the runner ends, and kills the processes that the runner leaves. A task that kills its parent process thus
// ends its supervisor only. If the rank ends in any way, so do the server, the supervisors and the runners.
//
// The server also terminates a rank whose task has closed the descriptors of its process: MPI has lost its connections then, and
// the rank would never end. The server notices it because the rank's end of the socket is closed.
//
//   rank --socket-- fork server -- supervisor -- runner
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace rankpool::detail {

/// The rank's end of the fork server. There is at most one in a process.
/// Thread safety: any thread may call the functions while the object lives.
class fork_server {
 public:
  /// Starts the server if `here`; otherwise this process starts no runners, but other ranks do. Call it before MPI and threads are
  /// started. `rank`: the name of this rank in the message with which the server terminates it if its descriptors are closed;
  /// empty: the server does not terminate it, because it does not use MPI.
  explicit fork_server(bool here, const std::string& rank = {});
  fork_server(const fork_server&) = delete;
  fork_server& operator=(const fork_server&) = delete;
  /// Ends the server and all runners. Blocks: until they have ended, at most two seconds.
  ~fork_server();

  /// Returns the object of this process, or null if the program was started without fork servers.
  static fork_server* current();

  /// Starts a runner that uses the runner_control in the memory with this descriptor. Its stage is alive or dead afterwards.
  /// Throws: error if this process has no server, or the server has ended or does not answer.
  /// Blocks: until the server has answered, at most one minute.
  void start_runner(int control_descriptor, std::uint32_t instance);
  /// Returns whether the server can still start runners.
  bool is_alive() const;
  /// Returns whether runners may read the memory of this process (see read_memory()). Known after the first start_runner().
  bool may_runners_read() const { return may_read_; }

 private:
  bool is_here() const;

  int socket_ = -1;  // to the server; -1: there is none
  pid_t owner_ = 0;  // the process that has started the server; a process that a task forks must not use it
  pid_t server_ = 0;
  std::mutex starting_;
  std::atomic<bool> may_read_ = false;
};

}  // namespace rankpool::detail
