// A cluster whose workers are threads of this process: the whole pool with all its concurrency, and no MPI.
//
// Why: sanitizers see neither between processes nor inside MPI. Here the same scheduler, workers, attendants and
// progress thread run side by side, and every frame is copied from one to the other as if it went over a wire.
#pragma once

#include <rankpool/cluster.hpp>

#include <functional>

namespace support {

/// Calls `program` with a cluster of that many workers, ranks 1 and up; returns what it returns, once all is over.
int run_on_threads(int workers, const std::function<int(rankpool::cluster&)>& program);

}  // namespace support
