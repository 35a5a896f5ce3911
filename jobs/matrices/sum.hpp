// The sum of two matrices on a pool: each task reads a part of both, adds them, and writes the sum or returns it as text.
//
// If both files have the same order, a part is a contiguous range of the file. If the orders differ, parts are tiles, so that even
// the matrix with scattered rows is read in runs of thousands of numbers.
#pragma once

#include <cstdint>
#include <string>

#include "matrices/source.hpp"
#include "matrices/tiles.hpp"

namespace jobs {

/// Divides the sum into parts for so many workers. `asked.a` must be in C order if both matrices have the same order: transpose
/// them otherwise. If `count` is not 0, each part has about `count` numbers.
tiles parts_of_sum(const matrix_work& asked, int workers, std::uint64_t count);

/// The task for a file: adds one part and writes it into `work.target`. Returns how many numbers it wrote.
std::uint64_t write_sum(const matrix_work& work, const block& part);

/// The task for text: returns whole rows.
std::string sum_text(const matrix_work& work, const block& part);

/// Computes a[i] += b[i]. Integers wrap around, as in numpy.
template <class T>
void add(T* a, const T* b, std::uint64_t count);

}  // namespace jobs
