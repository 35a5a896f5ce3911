// The sum of two matrices over a pool: each task reads a part of both, adds, and writes the part of the result, or makes it text.
//
// Both in the same order: parts are pieces of the file, whatever the shape. Otherwise they are tiles, so that the one whose
// rows are not together in the file is read in pieces of thousands of numbers all the same.
#pragma once

#include <cstdint>
#include <string>

#include "matrices/source.hpp"
#include "matrices/tiles.hpp"

namespace jobs {

struct sum {
  matrix_source a;
  matrix_source b;
  matrix_target target;  // in C order as `a` is seen here

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& a& b& target;
  }
};

/// Parts for the tasks of so many workers; `count` other than 0 says how many numbers there are in each, about.
tiles parts_of_sum(const sum& asked, int workers, std::uint64_t count);

/// The task: adds one part and writes it into `work.target`. Returns how many numbers those are.
std::uint64_t write_sum(const sum& work, const block& part);

/// The task for text: whole rows.
std::string sum_text(const sum& work, const block& part);

/// a[i] += b[i]; whole numbers wrap around as numpy's do.
template <class T>
void add(T* a, const T* b, std::uint64_t count);

}  // namespace jobs
