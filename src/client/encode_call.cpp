// Defines what happens to a task whose arguments cannot be encoded.
#include <rankpool/detail/client/encode_call.hpp>

#include <exception>

namespace rankpool::detail {

void fail_unwritable(future_state_base& state) {
  std::exception_ptr why;
  try {
    rethrow_as_serialization_error("an argument could not be written");
  } catch (...) {
    why = std::current_exception();
  }
  if (state.abandon(why)) state.react();
}

}  // namespace rankpool::detail
