// What matmul and matadd are asked: two files, or two generated matrices, or neither: the tutorial's.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "matrices/source.hpp"
#include "support/command.hpp"
#include "support/output.hpp"

namespace jobs {

struct matrix_options {
  std::string a;
  std::string b;
  std::uint64_t size = 0;
  std::string type = "int64";
  std::uint64_t seed = 1;
  output_options output;

  bool are_files() const { return !a.empty(); }
  bool are_generated() const { return size > 0; }
  /// Whether the result goes into a .npy file, and not out as text.
  bool make_file() const { return output.path.ends_with(".npy"); }

  /// Throws: usage_error, also for files that cannot be read.
  std::pair<matrix_source, matrix_source> sources() const;
  /// What does not depend on the job. Throws: usage_error.
  void check(const command_context& context) const;
};

/// Adds them to a job whose result is, in words, `result`.
void add_matrix_options(CLI::App& job, matrix_options& options, const std::string& result);

/// Throws: usage_error if the types of both differ.
void check_types(const matrix_source& a, const matrix_source& b);

}  // namespace jobs
