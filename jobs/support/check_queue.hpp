// Checks of printed results, as tasks of their own: a run with --verify has the same results in its journal as one without.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <rankpool/rankpool.hpp>
#include <utility>

namespace jobs {

/// Submits checks and hands their results to `take` in the order of submission. `take` may throw, as a check may.
template <class Result>
class check_queue {
 public:
  check_queue(rankpool::executor& pool, std::function<void(const Result&)> take) : pool_(pool), take_(std::move(take)) {}

  /// Blocks: while 16 checks for each worker are under way. Throws: what a check or `take` throws.
  template <class Check, class... Arguments>
  void add(Check check, const Arguments&... arguments) {
    if (outstanding_.size() >= 16 * static_cast<std::size_t>(pool_.num_workers())) take_oldest();
    outstanding_.push_back(pool_.submit(check, arguments...));
  }

  /// Blocks: until all checks are done. Throws: what a check or `take` throws.
  void finish() {
    while (!outstanding_.empty()) take_oldest();
  }

 private:
  void take_oldest() {
    const auto oldest = std::move(outstanding_.front());
    outstanding_.pop_front();
    take_(oldest.result());
  }

  rankpool::executor& pool_;
  std::function<void(const Result&)> take_;
  std::deque<rankpool::future<Result>> outstanding_;
};

}  // namespace jobs
