// Several requests of MPI that belong together.
#pragma once

#include <mpi.h>

#include <vector>

namespace rankpool::detail {

/// Tests the requests; whether all of them are complete.
bool all_complete(std::vector<MPI_Request>& requests);

/// Blocks: until all of them are complete.
void wait_for(std::vector<MPI_Request>& requests);

}  // namespace rankpool::detail
