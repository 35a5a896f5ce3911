// Checks of printed results, as tasks of their own: a run with --verify has the same results in its journal as one without.
#pragma once

#include <functional>
#include <rankpool/rankpool.hpp>
#include <utility>

#include "support/result_queue.hpp"

namespace jobs {

/// Submits checks and hands their results to `take` in the order of submission. `take` may throw, as a check may.
template <class Result>
class check_queue {
 public:
  check_queue(rankpool::executor& pool, std::function<void(const Result&)> take)
      : pool_(pool),
        outstanding_(16 * static_cast<std::size_t>(pool.num_workers()),
                     [take = std::move(take)](auto&& check, const auto&) { take(check.result()); }) {}

  /// Blocks: while more than 16 checks for each worker are outstanding. Throws: what a check or `take` throws.
  template <class Check, class... Arguments>
  void add(Check check, const Arguments&... arguments) {
    outstanding_.add(pool_.submit(check, arguments...));
  }

  /// Blocks: until all checks are done. Throws: what a check or `take` throws.
  void finish() { outstanding_.finish(); }

 private:
  rankpool::executor& pool_;
  result_queue<Result> outstanding_;
};

}  // namespace jobs
