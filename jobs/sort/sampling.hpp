// Samples of a file: one number from each of many equal ranges, at a random position that depends only on the range.
//
// Adjacent numbers are often similar, so each sample is read separately. The same file always gives the same samples.
#pragma once

#include <rankpool/rankpool.hpp>

#include <cstddef>
#include <vector>

#include "sort/number_file.hpp"
#include "sort/splitters.hpp"

namespace jobs {

/// Returns the number of tasks that draw so many samples.
std::size_t sampling_tasks(std::size_t samples, int workers);

/// Draws `samples` numbers with the workers, in sampling_tasks() tasks. Throws: file_error.
std::vector<splitter> draw_samples(rankpool::executor& pool, const number_file& numbers, std::size_t samples, int workers);

}  // namespace jobs
