// The process that starts runner processes, and the supervisor of each.
//
// A rank cannot fork once it uses MPI and threads. So run() forks the fork server before it initialises MPI, and the server forks a
// runner whenever the rank asks for one. Between them is a supervisor: it is the runner's parent, passes on what the runner writes
// to stderr, records how the runner ends, and kills the processes that the runner leaves. A task that kills its parent process thus
// ends its supervisor only. If the rank ends in any way, so do the server, the supervisors and the runners.
//
//   rank --socket-- fork server -- supervisor -- runner
#pragma once

#include <cstdint>

namespace rankpool::detail {

/// The rank's end of the fork server. There is at most one in a process. Thread safety: while the object lives, any thread may call
/// the static functions.
class fork_server {
 public:
  /// Starts the server if `here`; otherwise only records that the other ranks have one. Call it before MPI and threads are started.
  explicit fork_server(bool here);
  fork_server(const fork_server&) = delete;
  fork_server& operator=(const fork_server&) = delete;
  /// Ends the server and all runners. Blocks: until they have ended, at most two seconds.
  ~fork_server();

  /// Returns whether the workers of this program have fork servers.
  static bool is_running();
  /// Starts a runner that uses the runner_control in the memory with this descriptor. The runner's stage is alive or dead
  /// afterwards. Throws: error if this process has no fork server or it has ended.
  static void start_runner(int control_descriptor, std::uint32_t instance);
  /// Returns whether the server of this process can still start runners.
  static bool is_alive();
  /// Returns whether runners may read the memory of this process (see read_memory()). Known after the first start_runner().
  static bool may_runners_read();
};

}  // namespace rankpool::detail
