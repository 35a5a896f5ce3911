// Sorts a file in two passes. Numbers are exchanged through the output file itself, without additional disk space.
//
// First, tasks count the numbers of each bucket in each part, which gives the position of every part's slice of every bucket. Then
// each part is read again and its slices are written. Finally, each bucket is sorted in place.
#pragma once

#include <rankpool/rankpool.hpp>

#include <cstdint>

#include "sort/sort_work.hpp"

namespace jobs {

/// Sorts in two passes, in parts of `part` numbers. Throws: file_error; std::runtime_error if the input changes meanwhile.
void sort_in_two_passes(rankpool::executor& pool, const sort_work& work, std::uint64_t part);

}  // namespace jobs
