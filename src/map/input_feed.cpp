#include <rankpool/detail/map/input_feed.hpp>

#include <stdexcept>
#include <string>

namespace rankpool::detail {

std::uint64_t buffer_limit(long long buffersize) {
  if (buffersize < 0) {
    throw std::invalid_argument("buffersize must be 0 (no limit) or more, got " + std::to_string(buffersize));
  }
  return buffersize == 0 ? no_limit : static_cast<std::uint64_t>(buffersize);
}

}  // namespace rankpool::detail
