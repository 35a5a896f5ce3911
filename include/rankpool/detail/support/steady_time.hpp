// Points in time and timeouts, used by all parts of the library.
#pragma once

#include <chrono>
#include <optional>

namespace rankpool::detail {

using steady_time = std::chrono::steady_clock::time_point;
using timeout = std::optional<std::chrono::nanoseconds>;

/// Returns the end of a timeout that starts now; steady_time::max() without a timeout or if the sum is out of range.
steady_time deadline_after(const timeout& t);

}  // namespace rankpool::detail
