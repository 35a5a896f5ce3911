// Connects rank 0 of a pool with each of its workers by TCP, for runs over several nodes that survive the loss of ranks.
#pragma once

#include <boost/mpi/communicator.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace rankpool::detail {

struct connection_result {
  /// On the root: the socket of each worker, by rank without the root. On a worker: the socket to the root. The caller closes them.
  std::vector<int> sockets;
  /// Why there are no sockets; empty: all ranks are connected. Every rank gets the same.
  std::string problem;
};

/// Connects the ranks. Collective. Workers try the addresses of the root's network interfaces; workers on the root's node (0 in
/// `nodes`) try the loopback address first. The root sends a secret over MPI, and closes every connection that does not begin with
/// it. `dead_after`: how long the other node may be unreachable until an idle connection fails. Blocks: until every worker is
/// connected or has failed, at most about 20 s.
connection_result connect_ranks(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes,
                                std::chrono::nanoseconds dead_after);

}  // namespace rankpool::detail
