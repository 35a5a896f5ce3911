#include "mpi/requests.hpp"

#include "mpi/mpi_check.hpp"

namespace rankpool::detail {

bool all_complete(std::vector<MPI_Request>& requests) {
  for (MPI_Request& r : requests) {
    if (r == MPI_REQUEST_NULL) continue;
    int done = 0;
    mpi_check(MPI_Test(&r, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done == 0) return false;
  }
  return true;
}

void wait_for(std::vector<MPI_Request>& requests) {
  for (MPI_Request& r : requests) {
    if (r != MPI_REQUEST_NULL) MPI_Wait(&r, MPI_STATUS_IGNORE);
  }
}

}  // namespace rankpool::detail
