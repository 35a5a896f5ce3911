// The operands of matmul and matadd: two files, two generated matrices or, without options, the tutorial's matrices.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/job_options.hpp"
#include "matrices/source.hpp"

namespace jobs {

struct matrix_options {
  std::string a;
  std::string b;
  std::uint64_t size = 0;
  std::string type = "int64";
  std::uint64_t seed = 1;

  /// Declares the options. `result` names the result in the help text.
  void declare(job_options& options, const std::string& result);
  /// Checks the options that are common to both jobs. Throws: usage_error.
  void check(const run_settings& settings) const;

  bool are_files() const { return !a.empty(); }
  bool are_generated() const { return size > 0; }
  /// Returns both operands. Throws: usage_error if a file cannot be read or the types of the matrices differ.
  std::pair<matrix_source, matrix_source> sources() const;
  /// Checks that the files are unchanged since the first run with the journal. Throws: usage_error.
  void expect_unchanged(job_run& run) const;
};

/// Returns whether the result is written to a .npy file; otherwise it is printed as text.
inline bool writes_npy(const run_settings& settings) { return settings.output.path.ends_with(".npy"); }

}  // namespace jobs
