// Computes factorials on a pool: tasks compute the shares of each, then multiply pairs until one is left. Rank 0 forwards them.
//
// Numbers are split in proportion to their cost: a single number occupies all workers; of many numbers, small ones are not split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <rankpool/rankpool.hpp>
#include <vector>

#include "engine/run_report.hpp"
#include "factorial/digits.hpp"
#include "factorial/report.hpp"

namespace jobs {

struct split_options {
  int workers = 1;                                                     // the number of workers to split for
  bool verify = false;                                                 // check each value against 1·2·…·n modulo three primes
  std::function<void(const factorial_report&)> on_report;              // called in the order of the numbers; may be empty
  std::function<void(std::size_t done, std::size_t all)> on_progress;  // after every share and product; may be empty
  // Called in a handler of the exception of a task of a number. Returns true if the task has failed: the number then has no report.
  // Returns false if the task did not run: there is no report either, except that a check that did not run leaves it unchecked. It
  // may rethrow. Empty: exceptions of tasks end the call.
  std::function<bool(std::uint64_t number)> on_failure = nullptr;
};

/// Calls on_report for every number, in order, and returns how many numbers are verified. The values stay with the workers. Throws:
/// exceptions of the tasks, without on_failure, after the reports that precede the failed number and are finished;
/// std::runtime_error if a verification fails.
checked_results report_factorials(rankpool::executor& pool, const std::vector<std::uint64_t>& numbers,
                                  const split_options& options);

/// Returns all digits of n!. Throws: as report_factorials(), always without on_failure.
digit_vector factorial_digits(rankpool::executor& pool, std::uint64_t n, const split_options& options);

}  // namespace jobs
