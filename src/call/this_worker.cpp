// The functions of this_worker.
#include <rankpool/this_worker.hpp>

#include "call/current_worker.hpp"
#include "support/single_copy.hpp"

namespace rankpool::this_worker {

int rank() noexcept { return detail::current_worker == nullptr ? -1 : detail::current_worker->rank; }

const std::string& host() noexcept {
  static const std::string none;
  return detail::current_worker == nullptr ? none : detail::current_worker->host;
}

}  // namespace rankpool::this_worker
