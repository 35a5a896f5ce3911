// Sorts a file in one pass: each task reads the whole file, keeps the numbers of its bucket and counts the smaller ones. That
// count is the bucket's position in the output, so tasks do not depend on each other.
#pragma once

#include <rankpool/rankpool.hpp>

#include "sort/sort_work.hpp"

namespace jobs {

/// Sorts in one pass. Throws: file_error; std::runtime_error if the input has changed since the work was planned.
void sort_in_one_pass(rankpool::executor& pool, const sort_work& work);

}  // namespace jobs
