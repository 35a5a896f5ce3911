// Rank 0's part of sorting a file of numbers into another file. Rank 0 receives samples and counts, never the numbers.
#pragma once

#include <cstdint>
#include <string>

#include "engine/job_run.hpp"

namespace jobs {

struct file_sort_options {
  std::string input;                              // .npy file with one dimension, or a file of raw little-endian numbers
  std::string type;                               // numpy name of the type of raw numbers; empty: a .npy file
  std::uint64_t memory = std::uint64_t{1} << 30;  // most bytes for numbers in each worker

  /// Checks the options before any task runs. Throws: usage_error.
  void check(const output_options& output) const;
};

/// Sorts the file. Throws: output_error, file_error; with --verify also verification_error, after it has removed the output.
void sort_file(job_run& run, const file_sort_options& chosen);

}  // namespace jobs
