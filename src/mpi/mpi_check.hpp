// Turns MPI error codes into exceptions.
#pragma once

#include <rankpool/errors.hpp>

#include <mpi.h>

#include <mpi-ext.h>  // after mpi.h, which declares what it uses

#include <string>

namespace rankpool::detail {

/// Throws an exception that names the MPI function `call` and its error, unless `code` is MPI_SUCCESS. Throws: error.
inline void mpi_check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw error(std::string(call) + " failed: " + std::string(text, static_cast<std::size_t>(length)));
}

/// Returns false if the call failed because the process of the other rank has ended. Only an MPI with fault tolerance (ULFM)
/// reports that. Throws: error, as mpi_check().
inline bool mpi_check_peer(int code, const char* call) {
#if defined(OMPI_HAVE_MPI_EXT_FTMPI)
  if (code != MPI_SUCCESS) {
    int what = MPI_SUCCESS;
    MPI_Error_class(code, &what);
    if (what == MPIX_ERR_PROC_FAILED || what == MPIX_ERR_PROC_FAILED_PENDING) return false;
  }
#endif
  mpi_check(code, call);
  return true;
}

}  // namespace rankpool::detail
