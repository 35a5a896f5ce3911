// Samples of a file: one number of each of many equal stretches, at a random place that depends on the stretch alone.
//
// Numbers that lie together are often alike, so each sample is read by itself; the same file always gives the same ones.
#pragma once

#include <rankpool/rankpool.hpp>

#include <cstddef>
#include <vector>

#include "sort/number_file.hpp"
#include "sort/splitters.hpp"

namespace jobs {

/// How many tasks it takes to draw so many.
std::size_t sampling_tasks(std::size_t samples, int workers);

/// `samples` of them, drawn by the workers, in as many tasks as suit `workers` of them. Throws: file_error.
std::vector<splitter> draw_samples(rankpool::executor& pool, const number_file& numbers, std::size_t samples, int workers);

}  // namespace jobs
