// A cluster whose workers are threads of this process: the complete pool with its concurrency, but without MPI.
//
// Sanitizers detect errors neither between processes nor inside MPI. In this cluster, the scheduler, the workers, their attendants
// and the progress thread run in one process. Every frame is copied from its sender to its receiver, as between processes.
#pragma once

#include <rankpool/cluster.hpp>

#include <functional>

namespace support {

/// Calls `program` with a cluster of workers of ranks 1 to `workers`. Returns the result of `program` after the pool has ended.
/// `uses_sockets`: frames go over sockets, and every two workers are a node.
int run_on_threads(int workers, bool uses_sockets, const std::function<int(rankpool::cluster&)>& program);

}  // namespace support
