// Chooses how to sort a file from its size, the number of workers and the memory that each worker may use.
//
// One pass: every task reads the whole file and keeps the numbers of its bucket. Only the result is written, which is the least
// work if there are few buckets. Two passes: tasks copy parts of the file into the buckets' regions of the output, then other
// tasks sort each bucket there. Every number is read three times and written twice, whatever the file size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace jobs {

struct sort_plan {
  std::size_t buckets = 1;
  bool one_pass = true;
  std::uint64_t part = 0;   // numbers per task in the first of two passes
  std::size_t samples = 0;  // number of samples to choose splitters from

  std::uint64_t parts(std::uint64_t count) const { return (count + part - 1) / part; }
};

/// Plans a sort of `count` numbers of `size` bytes, with `memory` bytes per worker. Throws: usage_error if rank 0 would need too
/// much memory; the message names a sufficient --memory.
sort_plan plan_sort(std::uint64_t count, std::size_t size, int workers, std::uint64_t memory);

std::string describe(const sort_plan& plan, std::uint64_t count);

}  // namespace jobs
