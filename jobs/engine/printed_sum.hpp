// Verifies printed numbers: workers compute their sum from the printed text, and rank 0 compares it with a closed form.
#pragma once

#include <gmpxx.h>

#include <string>
#include <string_view>
#include <utility>

#include "engine/check_queue.hpp"

namespace jobs {

/// The task: returns the sum of the last number of each line.
inline mpz_class sum_of_last_numbers(const std::string& lines) {
  mpz_class sum = 0;
  mpz_class value;
  for (std::string_view rest = lines; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    value.set_str(std::string(line.substr(line.rfind(' ') + 1)), 10);
    sum += value;
    rest.remove_prefix(line.size() + 1);
  }
  return sum;
}

/// Accumulates the sum of all printed numbers. Without --verify, it does nothing.
class printed_sum {
 public:
  explicit printed_sum(job_run& run) : run_(run) {}

  /// Adds the last number of each of the `lines`. Blocks: as check_queue::add().
  void add(const std::string& lines) { sums_.add(sum_of_last_numbers, lines); }

  /// Compares the sum with the result of `expected`, a closed form. If a task failed, there is no such sum, and nothing is
  /// verified. Throws: verification_error.
  template <class Expected>
  void verify(Expected expected) {
    if (!run_.verifies()) return;
    checked_results tasks = sums_.finish("task");
    if (!tasks.are_all_verified()) {
      run_.note("the sum was not verified, because numbers of failed tasks are missing");
      tasks.unchecked += std::exchange(tasks.verified, 0);
    }
    run_.verified(!tasks.are_all_verified() || total_ == expected(), "the sum of the printed numbers equals the closed form",
                  tasks);
  }

 private:
  job_run& run_;
  mpz_class total_ = 0;
  check_queue<mpz_class> sums_{run_, [this](const mpz_class& sum) { total_ += sum; }};
};

}  // namespace jobs
