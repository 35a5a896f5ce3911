// Several requests of MPI that belong together.
#pragma once

#include <mpi.h>

#include <vector>

namespace rankpool::detail {

enum class request_state {
  pending,
  complete,
  failed,  ///< the process of the other rank has ended
};

request_state test(MPI_Request& request);
/// Tests the requests: they are complete when all of them are, and failed when one of them has.
request_state test(std::vector<MPI_Request>& requests);

/// Blocks: until all of them are complete.
void wait_for(std::vector<MPI_Request>& requests);

}  // namespace rankpool::detail
