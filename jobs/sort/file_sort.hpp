// Sorting a file of numbers into another: what rank 0 does of it. It sees samples and counts, never the numbers.
#pragma once

#include <cstdint>
#include <string>

#include "support/command.hpp"
#include "support/output.hpp"

namespace jobs {

struct file_sort_options {
  std::string input;                              // .npy with one dimension, or raw little-endian numbers
  std::string type;                               // of raw numbers, as numpy calls it; empty: a .npy file
  std::uint64_t memory = std::uint64_t{1} << 30;  // bytes for numbers in each worker
  output_options output;

  /// Throws: usage_error for whatever of the files can be known to be wrong before the work.
  void check() const;
};

/// The exit status. Throws: output_error, file_error, verification_error (with --verify; the output has no name then).
int sort_file(rankpool::cluster& cluster, command_context& context, const file_sort_options& chosen);

}  // namespace jobs
