// Verifies printed results in separate tasks. The other tasks of a run are therefore the same with and without --verify, and so
// are their results in its journal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "engine/job_run.hpp"
#include "support/result_queue.hpp"

namespace jobs {

/// Submits checks and passes their results to `take` in the order of submission. `take` and a check may throw. Without --verify,
/// this class does nothing. After --max-failures, it submits no checks, and skips those that were cancelled.
template <class Result>
class check_queue {
 public:
  /// `argument_bytes`: the size of the arguments of a check, which rank 0 holds.
  check_queue(job_run& run, std::function<void(const Result&)> take, std::size_t argument_bytes = 0)
      : run_(run),
        take_(std::move(take)),
        outstanding_(static_cast<std::size_t>(run.tasks_in_flight(argument_bytes)),
                     [this](auto&& check, const auto&) { take_result(check); }) {}

  /// Submits a check of a result. Blocks: while more checks are outstanding than job_run::tasks_in_flight() allows. Throws: what a
  /// check or `take` throws.
  template <class Check, class... Arguments>
  void add(Check check, const Arguments&... arguments) {
    if (!run_.verifies()) return;
    if (run_.failures().is_reached()) {
      ++unchecked_;
    } else {
      outstanding_.add(run_.pool().submit(check, arguments...));
    }
  }

  /// Takes all remaining results, and returns how many results the checks were for and how many tasks have failed. `noun`: what the
  /// job calls the result of a task. Blocks: until all checks are done. Throws: what a check or `take` throws.
  checked_results finish(const std::string& noun) {
    outstanding_.finish();
    return {verified_, run_.failures().failed(), unchecked_, noun};
  }

 private:
  void take_result(const rankpool::future<Result>& check) {
    const Result* result = nullptr;
    try {
      result = &check.result();
    } catch (const rankpool::error& error) {
      if (!run_.is_cut_off_by(error)) throw;
      ++unchecked_;
      return;
    }
    take_(*result);
    ++verified_;
  }

  job_run& run_;
  std::function<void(const Result&)> take_;
  std::uint64_t verified_ = 0;
  std::uint64_t unchecked_ = 0;
  result_queue<Result> outstanding_;
};

}  // namespace jobs
