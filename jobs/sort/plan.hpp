// How a file is sorted, decided from its size, the number of workers and the memory that each may use.
//
// One pass: every task reads the whole file and keeps the numbers of its own bucket. Nothing is written but the result, and
// with few buckets that is the least work. Two passes: tasks carry parts of the file to the places of their buckets in the
// output, then others sort each bucket there. Every number is read three times and written twice, whatever the size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace jobs {

struct sort_plan {
  std::size_t buckets = 1;
  bool one_pass = true;
  std::uint64_t part = 0;   // numbers that a task of the first of two passes takes
  std::size_t samples = 0;  // to choose splitters from

  std::uint64_t parts(std::uint64_t count) const { return (count + part - 1) / part; }
};

/// For `count` numbers of `size` bytes and workers that use `memory` bytes each. Throws: usage_error if that takes more of
/// rank 0 than it should; the message names a memory that will do.
sort_plan plan_sort(std::uint64_t count, std::size_t size, int workers, std::uint64_t memory);

std::string describe(const sort_plan& plan, std::uint64_t count);

}  // namespace jobs
