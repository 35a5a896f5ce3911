// Computes factorials on a pool: tasks compute the shares of each, then multiply pairs until one is left. Rank 0 forwards them.
//
// Numbers are split in proportion to their cost: a single number occupies all workers; of many numbers, small ones are not split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <rankpool/rankpool.hpp>
#include <vector>

#include "factorial/digits.hpp"
#include "factorial/report.hpp"

namespace jobs {

struct split_options {
  int workers = 1;                                                     // the number of workers to split for
  bool verify = false;                                                 // check each value against 1·2·…·n modulo three primes
  std::function<void(const factorial_report&)> on_report;              // called in the order of the numbers; may be empty
  std::function<void(std::size_t done, std::size_t all)> on_progress;  // after every share and product; may be empty
  // Called in a handler of the exception of a task, once for each failed task of a number, which then has no report. It may
  // rethrow. Empty: exceptions of tasks end the call.
  std::function<void(std::uint64_t number)> on_failure = nullptr;
};

/// Calls on_report for every number, in order. The values stay with the workers. Throws: exceptions of the tasks, without
/// on_failure; std::runtime_error if a verification fails.
void report_factorials(rankpool::executor& pool, const std::vector<std::uint64_t>& numbers, const split_options& options);

/// Returns all digits of n!. Throws: as report_factorials(), always without on_failure.
digit_vector factorial_digits(rankpool::executor& pool, std::uint64_t n, const split_options& options);

/// The statement that --verify reports for verified factorials.
inline constexpr const char* factorials_verified =
    "every value has the expected residues modulo several primes and the powers of primes by Legendre's formula";

}  // namespace jobs
