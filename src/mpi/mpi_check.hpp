// Turns MPI error codes into exceptions.
#pragma once

#include <rankpool/errors.hpp>

#include <mpi.h>

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

}  // namespace rankpool::detail
