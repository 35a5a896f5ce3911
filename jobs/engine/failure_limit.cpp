#include "engine/failure_limit.hpp"

#include <mutex>
#include <stdexcept>

namespace jobs {

struct failure_limit::counts {
  std::mutex mutex{};
  std::uint64_t most = 0;
  std::uint64_t failed = 0;
  rankpool::executor* pool = nullptr;
};

bool is_task_failure(const std::exception& error) {
  if (dynamic_cast<const rankpool::stopped_error*>(&error) != nullptr) return false;
  if (dynamic_cast<const std::invalid_argument*>(&error) != nullptr) return false;
  return rankpool::remote_context(error) != nullptr || dynamic_cast<const rankpool::worker_lost*>(&error) != nullptr ||
         dynamic_cast<const rankpool::timeout_error*>(&error) != nullptr;
}

failure_limit::failure_limit(std::uint64_t most) : state_(std::make_shared<counts>()) { state_->most = most; }

bool failure_limit::is_given() const { return state_->most > 0; }

bool failure_limit::is_reached() const {
  const std::lock_guard lock(state_->mutex);
  return state_->most > 0 && state_->failed >= state_->most;
}

std::uint64_t failure_limit::failed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failed;
}

void failure_limit::apply_to(rankpool::executor* pool) {
  const std::lock_guard lock(state_->mutex);
  state_->pool = pool;
}

void failure_limit::count() { count_in(*state_); }

void failure_limit::count_in(counts& state) {
  const std::lock_guard lock(state.mutex);
  if (++state.failed == state.most && state.pool != nullptr) state.pool->shutdown({.wait = false, .cancel_futures = true});
}

bool failure_limit::is_failure(const std::exception_ptr& error) {
  if (error == nullptr) return false;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return is_task_failure(thrown);
  }
}

std::string failure_limit::summary(std::uint64_t failed, std::optional<std::uint64_t> not_run, bool has_journal,
                                   const std::string& item, const std::string& option) {
  const auto counted = [&item](std::uint64_t number) { return std::to_string(number) + " " + item + (number == 1 ? "" : "s"); };
  std::string line = "stopped early because ";
  line.append(counted(failed)).append(" failed");
  if (!option.empty()) line.append(" (").append(option).append(")");
  line.append("; ").append(not_run ? counted(*not_run) : "an unknown number of " + item + "s").append(" did not run");
  if (has_journal) line.append("; the same run with its journal runs these and the failed ones");
  return line;
}

std::string failure_limit::option() const { return "--max-failures " + std::to_string(state_->most); }

}  // namespace jobs
