// Example 7: Fibonacci numbers, printed as they are completed. F(0) = 0, F(1) = 1.
//
// All numbers are submitted at once. If they are completed faster than rank 0 can print them, it holds those that are not printed:
// 0.21 n bytes for F(n).
#include <gmpxx.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/check_queue.hpp"
#include "engine/job.hpp"
#include "support/residue.hpp"

namespace jobs {
namespace {

/// Returns F(n) in decimal: the conversion takes longer than the computation, so the worker does it.
std::string fibonacci(std::uint64_t n) {
  mpz_class value;
  mpz_fib_ui(value.get_mpz_t(), n);
  return value.get_str();
}

/// Returns an upper bound of the number of digits of F(n).
std::size_t most_digits(std::uint64_t n) { return static_cast<std::size_t>(n / 4 + 2); }

/// Returns a prime modulo which `digits` differ from F(n); 0 if they agree.
std::uint64_t wrong_modulus(std::uint64_t n, const std::string& digits) {
  for (const std::uint64_t p : check_primes) {
    if (residue_of_digits(digits, p) != fibonacci_mod(n, p)) return p;
  }
  return 0;
}

class fibonacci_numbers : public job {
  std::vector<std::uint64_t> numbers_{35, 40, 30};

  void declare(job_options& options) override {
    options.numbers("n", numbers_, "which ones (default 35 40 30)", 0, 1'000'000'000);
    options.output();
    options.max_failures();
    options.verify("check the digits modulo three primes, on the workers");
    options.footer("Each number is a task: there is no --chunksize.");
  }

  void run(job_run& run) override {
    std::vector<rankpool::future<std::string>> futures;
    std::unordered_map<std::uint64_t, std::uint64_t> number_of;  // key: id of the future
    std::uint64_t wrong = 0;
    check_queue<std::uint64_t> checks(
        run, [&](std::uint64_t modulus) { wrong = modulus != 0 ? modulus : wrong; }, most_digits(std::ranges::max(numbers_)));
    run.expect_tasks(numbers_.size(), numbers_.size());
    for (const std::uint64_t n : numbers_) {
      futures.push_back(run.pool().submit(fibonacci, n));
      number_of[futures.back().id()] = n;
    }
    for (const auto& future : rankpool::as_completed(std::exchange(futures, {}))) {
      const std::uint64_t n = number_of.at(future.id());
      try {
        (void)future.result();
      } catch (...) {
        run.take_failure("F(" + std::to_string(n) + ")");
        continue;
      }
      run.out().print("Fibonacci result: ", future.result(), '\n');
      run.out().flush();
      checks.add(wrong_modulus, n, future.result());
    }
    if (!run.verifies()) return;
    const checked_results numbers = checks.finish("number");
    run.verified(wrong == 0,
                 "the digits have the right residues modulo three primes" +
                     (wrong == 0 ? "" : "; some are wrong modulo " + std::to_string(wrong)),
                 numbers);
  }
};

const job_entry<fibonacci_numbers> fibonacci_numbers_entry("fibonacci", "Fibonacci numbers of any size, as they are completed");

}  // namespace
}  // namespace jobs
