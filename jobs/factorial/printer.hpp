// Prints the figures of factorials, one line for each, and reports them for --json and --verify.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/job_run.hpp"
#include "factorial/split_factorial.hpp"

namespace jobs {

class factorial_printer {
 public:
  explicit factorial_printer(job_run& run);
  factorial_printer(const factorial_printer&) = delete;
  factorial_printer& operator=(const factorial_printer&) = delete;

  /// Computes factorials and prints a line for each, in order. Throws: as report_factorials(), except for failures that
  /// --max-failures allows.
  void print(const std::vector<std::uint64_t>& numbers);
  /// Returns all digits of n!, and prints its line. Throws: as factorial_digits().
  digit_vector digits(std::uint64_t n);
  /// Reports all printed factorials, and with --verify, how many are verified.
  void finish();

 private:
  job_run& run_;
  split_options options_;
  std::vector<factorial_report> reports_;
  checked_results results_{.noun = "factorial"};
};

}  // namespace jobs
