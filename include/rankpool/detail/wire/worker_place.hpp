// The rank and host of a worker, which errors and this_worker report.
#pragma once

#include <string>

namespace rankpool::detail {

struct worker_place {
  int rank = -1;
  std::string host;
};

}  // namespace rankpool::detail
