// --verify for printed numbers: their sum is computed from the text, on the workers, and compared with a closed form.
#pragma once

#include <gmpxx.h>

#include <string>
#include <string_view>

#include "engine/check_queue.hpp"

namespace jobs {

/// A task: the sum of the numbers at the ends of lines.
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

/// The sum of all numbers that a job prints. Without --verify, it does nothing.
class printed_sum {
 public:
  explicit printed_sum(job_run& run) : run_(run) {}

  /// Adds the numbers at the ends of `lines`. Blocks: see check_queue.
  void add(const std::string& lines) { sums_.add(sum_of_last_numbers, lines); }

  /// Compares the sum with `expected`, which computes it by a closed form. Throws: verification_error.
  template <class Expected>
  void verify(Expected expected) {
    if (!run_.verifies()) return;
    sums_.finish();
    run_.verified(total_ == expected(), "the sum of the printed numbers equals the closed form");
  }

 private:
  job_run& run_;
  mpz_class total_ = 0;
  check_queue<mpz_class> sums_{run_, [this](const mpz_class& sum) { total_ += sum; }};
};

}  // namespace jobs
