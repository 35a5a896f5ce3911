// Verifies a sum by another method: compares the totals of all three files, and single numbers of all three at random
// positions.
#pragma once

#include <cstdint>
#include <string>

#include <rankpool/rankpool.hpp>

#include "matrices/sum.hpp"

namespace jobs {

struct sum_check {
  static constexpr std::uint64_t samples = 10'000;

  std::string failure;        // empty if the sum is correct
  bool totals_tested = true;  // false: some numbers are inf or nan
};

/// Returns the number of tasks of the test.
std::uint64_t tasks_to_check(const matrix_work& work);

/// Tests the file `work.target` on the workers. Throws: exceptions of the tasks.
sum_check check_sum(rankpool::executor& pool, const matrix_work& work, std::uint64_t seed);

}  // namespace jobs
