// Which failed tasks run again, how often, and after which delay. Rank 0 uses it for calls with retry_if or backoff. Otherwise the
// worker repeats tasks that have ended their runner (task_limits::retries).
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>

namespace rankpool::detail {

/// The attempts of one task or item that have failed.
struct failed_attempts {
  int count = 0;
  int lost = 0;  ///< of these, ended with worker_lost
};

struct retry_policy {
  int retries = 0;
  int crash_limit = 0;                                           ///< see executor_options
  std::function<bool(const std::exception_ptr&)> retry_if = {};  ///< null: after worker_lost only
  std::chrono::nanoseconds backoff{};                            ///< delay before the first retry; doubles with each further one

  /// Counts a failed attempt. Returns the delay before the next one, or nothing if there is none: the task has failed. Calls
  /// `retry_if`.
  std::optional<std::chrono::nanoseconds> next_attempt(failed_attempts& so_far, const std::exception_ptr& why) const;
};

}  // namespace rankpool::detail
