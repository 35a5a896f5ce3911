// A test of a sum that goes other ways than the sum went: each file from beginning to end for its total, and single numbers
// of all three at places taken at random.
#pragma once

#include <cstdint>
#include <string>

#include <rankpool/rankpool.hpp>

#include "matrices/sum.hpp"

namespace jobs {

struct sum_check {
  static constexpr std::uint64_t samples = 10'000;

  std::string failure;        // empty if it holds
  bool totals_tested = true;  // false: inf or nan among the numbers
};

/// How many tasks the test takes.
std::uint64_t tasks_to_check(const sum& work);

/// Tests the file `work.target` on the workers. Throws: what tasks throw.
sum_check check_sum(rankpool::executor& pool, const sum& work, std::uint64_t seed);

}  // namespace jobs
