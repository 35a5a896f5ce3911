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

struct sum {
  matrix_source a;
  matrix_source b;
  matrix_target target;  // in C order after the transposition that makes `a` C order

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& target;
  }
};

/// Divides the sum into parts for so many workers. If `count` is not 0, each part has about `count` numbers.
tiles parts_of_sum(const sum& asked, int workers, std::uint64_t count);

/// The task for a file: adds one part and writes it into `work.target`. Returns how many numbers it wrote.
std::uint64_t write_sum(const sum& work, const block& part);

/// The task for text: returns whole rows.
std::string sum_text(const sum& work, const block& part);

/// Computes a[i] += b[i]. Integers wrap around, as in numpy.
template <class T>
void add(T* a, const T* b, std::uint64_t count);

}  // namespace jobs
