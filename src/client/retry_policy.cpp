#include <rankpool/detail/client/retry_policy.hpp>

#include "support/log.hpp"

#include <rankpool/errors.hpp>

#include <algorithm>
#include <string>

namespace rankpool::detail {
namespace {

bool is_worker_lost(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const worker_lost&) {
    return true;
  } catch (...) {
    return false;
  }
}

// An exception of the predicate must not end the pool, and not replace the task's own.
bool permits(const std::function<bool(const std::exception_ptr&)>& retry_if, const std::exception_ptr& why) {
  try {
    return retry_if(why);
  } catch (const std::exception& e) {
    log_line(std::string("retry_if threw an exception, so the task is not run again: ") + e.what());
  } catch (...) {
    log_line("retry_if threw an unknown exception, so the task is not run again");
  }
  return false;
}

std::chrono::nanoseconds doubled(std::chrono::nanoseconds delay, int times) {
  constexpr std::chrono::nanoseconds longest = std::chrono::hours(24);
  for (int i = 0; i < times && delay < longest; ++i) delay *= 2;
  return std::min(delay, longest);
}

}  // namespace

std::optional<std::chrono::nanoseconds> retry_policy::next_attempt(failed_attempts& so_far, const std::exception_ptr& why) const {
  ++so_far.count;
  const bool is_lost = is_worker_lost(why);
  if (is_lost) ++so_far.lost;
  if (so_far.count > retries || (is_lost && so_far.lost >= crash_limit)) return std::nullopt;
  if (retry_if ? !permits(retry_if, why) : !is_lost) return std::nullopt;
  return doubled(backoff, so_far.count - 1);
}

}  // namespace rankpool::detail
