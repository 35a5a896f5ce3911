// How far the steady clocks of other nodes are ahead, for traces.
#pragma once

#include <boost/mpi/communicator.hpp>

#include <chrono>
#include <vector>

namespace rankpool::detail {

/// Returns, on the root, the offset of the steady clock of each rank's node from the root's, accurate to half of the shortest round
/// trip of a message. Empty on other ranks. `nodes`: the node of each rank; 0: the root's. Collective: one rank of each other node
/// answers the root. Throws: boost::mpi::exception. Blocks: on the root, until all nodes have answered.
std::vector<std::chrono::nanoseconds> clocks_ahead(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes);

}  // namespace rankpool::detail
