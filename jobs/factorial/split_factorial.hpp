// Factorials on a pool: shares of each as tasks, then products of two until one is left; rank 0 only passes them on.
//
// Numbers are split in proportion to their work, so that one fills all the workers, and of many the small ones stay whole.
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
  int workers = 1;  // for which numbers are split
  bool verify = false;                                     // check each value against 1·2·…·n modulo three primes
  std::function<void(const factorial_report&)> on_report;  // called in the order of the numbers; may be empty
  std::function<void(std::size_t done, std::size_t all)> on_progress;  // after every share and product; may be empty
};

/// Calls on_report for every number, in order; the values stay with the workers. Throws: what a task throws, std::runtime_error if one
/// does not verify.
void report_factorials(rankpool::executor& pool, const std::vector<std::uint64_t>& numbers, const split_options& options);

/// All digits of n!. Throws: as above.
digit_vector factorial_digits(rankpool::executor& pool, std::uint64_t n, const split_options& options);

/// What split_options::verify has checked.
inline constexpr const char* factorials_verified =
    "every value has the expected residues modulo several primes and the powers of primes by Legendre's formula";

}  // namespace jobs
