// A frame that MPI may still read from.
#pragma once

#include "wire/frame.hpp"

#include <mpi.h>

#include <vector>

namespace rankpool::detail {

struct outgoing_frame {
  frame content;
  std::vector<MPI_Request> requests;
  int to = 0;  ///< the receiver's rank
};

}  // namespace rankpool::detail
