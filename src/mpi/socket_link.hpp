// The transport of a session over several nodes that survives the loss of workers: connects the ranks, and describes a loss.
#pragma once

#include "mpi/doorbell.hpp"
#include "transport/transport.hpp"

#include <boost/mpi/communicator.hpp>

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace rankpool::detail {

struct socket_link_options {
  int root = 0;
  std::vector<int> nodes;        ///< of each rank; 0: the root's
  std::vector<pid_t> processes;  ///< of each rank
  /// How long nothing may be received from a worker until it counts as lost.
  std::chrono::nanoseconds heartbeat_timeout{};
  /// On the root: called when a worker of another node is lost. May be null.
  std::function<void()> on_remote_loss = nullptr;
  /// On a worker: called when the root is lost. It must not return.
  std::function<void()> on_root_lost;
};

/// Collective. `bells`: what the ranks of this node share.
/// Throws: error on every rank if not all workers can connect to the root. Over MPI, the run would wait for a lost rank for ever.
std::shared_ptr<transport> link_over_sockets(const boost::mpi::communicator& world, const std::shared_ptr<doorbells>& bells,
                                             const socket_link_options& options);

}  // namespace rankpool::detail
