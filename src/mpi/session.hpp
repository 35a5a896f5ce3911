// One pool over a communicator: the collective handshake, the roles of the ranks, and the shutdown.
#pragma once

#include <rankpool/cluster.hpp>

#include <mpi.h>
#include <boost/mpi/communicator.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace rankpool::detail {

std::string host_name();

/// Marks a communicator as used by a pool of this process. A second pool on it would hang, because the other ranks serve the first.
/// MPI_COMM_SELF has no other ranks, so any number of pools may use it.
/// Throws: rankpool::error if the communicator is in use already.
class communicator_in_use {
 public:
  explicit communicator_in_use(MPI_Comm communicator);
  communicator_in_use(const communicator_in_use&) = delete;
  communicator_in_use& operator=(const communicator_in_use&) = delete;
  ~communicator_in_use();

 private:
  const MPI_Comm communicator_;
};

/// Returns whether this process has a pool over several ranks on another communicator.
bool has_other_pool_over_ranks(MPI_Comm communicator);

/// What a session does when something goes wrong.
struct session_options {
  /// How long a task may run on after `lead` has thrown, until all ranks are ended. Null: no limit.
  std::optional<std::chrono::nanoseconds> grace_period = std::nullopt;
  /// How long a worker may be stopped until it counts as lost. Null: the launcher ends all ranks when one ends.
  std::optional<std::chrono::nanoseconds> stopped_limit = std::nullopt;
  /// The file of the trace, as run_options::trace.
  std::string trace = {};
  /// Called on the root when a worker of another node is lost. May be null.
  std::function<void()> on_remote_loss = nullptr;
  /// Called at the end of a session that survives losses and has lost no rank, before its collective calls: a rank that is lost
  /// during these would block them. May be null.
  std::function<void()> on_collective_end = nullptr;
};

/// Runs a pool on the communicator. Collective. `lead` runs on the root and returns the exit status, which every rank returns; the
/// other ranks serve. If `lead` throws, `failed` gets the exception and returns the status instead. If a worker's task then runs
/// longer than the grace period, all ranks are ended.
///
/// With a stopped_limit, the session survives the loss of workers. Over several nodes, its frames then use TCP connections between
/// rank 0 and each worker. After a loss, it makes no collective call at its end, and MPI must not be finalized
/// (is_finalization_skipped() in process_exit.hpp).
///
/// An error of the pool on a worker ends the worker's process, and all ranks with it unless the session survives that. The stack is
/// not unwound, because collective calls would then hang without the other ranks.
/// Throws: rankpool::error on every rank if the ranks do not run the same build, or these connections fail.
int run_session(const boost::mpi::communicator& world, int root, const std::function<int(cluster&)>& lead,
                const std::function<int(const std::exception_ptr&)>& failed, const session_options& options);

/// Runs a pool in this process alone: its worker is inline, and sends no messages over MPI. `trace`: as run_options::trace.
int run_inline(const std::function<int(cluster&)>& lead, const std::function<int(const std::exception_ptr&)>& failed,
               const std::string& trace = {});

}  // namespace rankpool::detail
