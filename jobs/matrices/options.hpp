// The operands of matmul and matadd: two files, two generated matrices, or, without options, the tutorial's.
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

  /// `result` names the result in the help.
  void declare(job_options& options, const std::string& result);
  /// Checks what does not depend on the job. Throws: usage_error.
  void check(const run_settings& settings) const;

  bool are_files() const { return !a.empty(); }
  bool are_generated() const { return size > 0; }
  /// Throws: usage_error, also for files that cannot be read, and if the types of the matrices differ.
  std::pair<matrix_source, matrix_source> sources() const;
  /// Checks that files have not changed since the first run with the journal. Throws: usage_error.
  void expect_unchanged(job_run& run) const;
};

/// Returns whether the result goes into a .npy file, and not out as text.
inline bool writes_npy(const run_settings& settings) { return settings.output.path.ends_with(".npy"); }

}  // namespace jobs
