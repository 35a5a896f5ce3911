// --max-failures: counts failed tasks, and starts no more of them at the limit.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <rankpool/rankpool.hpp>
#include <string>

namespace jobs {

/// Returns whether a task threw `error`, ended its process or exceeded its time. Other errors end the run in any case, and so does
/// std::invalid_argument, with which a task refuses its input.
bool is_task_failure(const std::exception& error);

/// Thread safety: any thread may call all members except the constructor and the destructor.
class failure_limit {
 public:
  /// `most`: --max-failures; 0: not given.
  explicit failure_limit(std::uint64_t most);
  ~failure_limit() { apply_to(nullptr); }
  failure_limit(const failure_limit&) = delete;
  failure_limit& operator=(const failure_limit&) = delete;

  bool is_given() const;
  bool is_reached() const;
  std::uint64_t failed() const;

  /// Sets the executor that is shut down at the limit. Null: none. Lifetime: the executor must exist until the next call.
  void apply_to(rankpool::executor* pool);
  /// Counts a failed task. At the limit, shuts the executor down: running tasks finish, and the others fail with cancelled_error.
  void count();
  /// Counts a submitted task when it fails, even if results of earlier tasks are awaited first. Without a limit, it does nothing.
  template <class Result>
  void watch(const rankpool::future<Result>& submitted) {
    if (!is_given()) return;
    submitted.add_done_callback([state = state_](const rankpool::future<Result>& done) {
      if (!done.cancelled() && is_failure(done.exception())) count_in(*state);
    });
  }

  /// Returns one line, such as "stopped early because 2 tasks failed (--max-failures 2); 5 tasks did not run".
  /// `not_run`: empty if unknown. `item`: what the job calls a task. `option`: how the limit was given; empty: it was not
  /// reached.
  static std::string summary(std::uint64_t failed, std::optional<std::uint64_t> not_run, bool has_journal, const std::string& item,
                             const std::string& option);
  /// Returns "--max-failures N".
  std::string option() const;

 private:
  struct counts;  // callbacks may run after the end of this object
  static bool is_failure(const std::exception_ptr& error);
  static void count_in(counts& state);

  std::shared_ptr<counts> state_;
};

}  // namespace jobs
