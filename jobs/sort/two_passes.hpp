// Sorting in two passes, with the output itself as the place of exchange: no other file, and no more of the disk.
//
// Parts of the input are counted by bucket, so that it is known where each part's share of each bucket belongs. Then each
// part is read again and written there, bucket by bucket; then each bucket is sorted where it lies.
#pragma once

#include <rankpool/rankpool.hpp>

#include <cstdint>

#include "sort/sort_work.hpp"

namespace jobs {

/// In parts of `part` numbers. Throws: file_error, std::runtime_error if the input changes meanwhile.
void sort_in_two_passes(rankpool::executor& pool, const sort_work& work, std::uint64_t part);

}  // namespace jobs
