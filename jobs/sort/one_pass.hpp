// Sorting in one pass: a task goes through the whole file, keeps the numbers of its bucket and counts those before it, which
// tells where the bucket begins in the output. Tasks need nothing of each other.
#pragma once

#include <rankpool/rankpool.hpp>

#include "sort/sort_work.hpp"

namespace jobs {

/// Throws: file_error, std::runtime_error if the input is not what it was when the work was planned.
void sort_in_one_pass(rankpool::executor& pool, const sort_work& work);

}  // namespace jobs
