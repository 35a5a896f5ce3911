// Sorting a file of numbers into another: what rank 0 does of it. It sees samples and counts, never the numbers.
#pragma once

#include <cstdint>
#include <string>

#include "engine/job_run.hpp"

namespace jobs {

struct file_sort_options {
  std::string input;                              // .npy with one dimension, or raw little-endian numbers
  std::string type;                               // of raw numbers, as numpy calls it; empty: a .npy file
  std::uint64_t memory = std::uint64_t{1} << 30;  // bytes for numbers in each worker

  /// Checks what can be known before the work. Throws: usage_error.
  void check(const output_options& output) const;
};

/// Throws: output_error, file_error; with --verify verification_error, and the output is removed.
void sort_file(job_run& run, const file_sort_options& chosen);

}  // namespace jobs
