#include <rankpool/detail/map/map_call.hpp>

#include <rankpool/errors.hpp>

#include <string>

namespace rankpool::detail {

std::exception_ptr time_out(map_call& call, const char* operation, std::uint64_t taken) {
  call.cancel(std::make_exception_ptr(cancelled_error("the timeout expired before this item started")));
  return std::make_exception_ptr(timeout_error(std::string(operation) + ": timeout after " + std::to_string(taken) + " items"));
}

}  // namespace rankpool::detail
