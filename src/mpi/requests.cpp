#include "mpi/requests.hpp"

#include "mpi/mpi_check.hpp"

namespace rankpool::detail {

request_state test(MPI_Request& request) {
  int done = 0;
  if (!mpi_check_peer(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test")) return request_state::failed;
  return done != 0 ? request_state::complete : request_state::pending;
}

request_state test(std::vector<MPI_Request>& requests) {
  for (MPI_Request& r : requests) {
    if (r == MPI_REQUEST_NULL) continue;
    if (const request_state now = test(r); now != request_state::complete) return now;
  }
  return request_state::complete;
}

void wait_for(std::vector<MPI_Request>& requests) {
  for (MPI_Request& r : requests) {
    if (r != MPI_REQUEST_NULL) MPI_Wait(&r, MPI_STATUS_IGNORE);
  }
}

}  // namespace rankpool::detail
