#include <rankpool/this_worker.hpp>

#include "current_worker.hpp"

namespace rankpool::this_worker {

int rank() noexcept { return detail::current_worker == nullptr ? -1 : detail::current_worker->rank; }

const std::string& host() noexcept {
  static const std::string none;
  return detail::current_worker == nullptr ? none : detail::current_worker->host;
}

}  // namespace rankpool::this_worker
