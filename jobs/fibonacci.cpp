// Example 7: Fibonacci numbers, printed as they are completed. F(0) = 0, F(1) = 1.
#include <gmpxx.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/command.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"
#include "support/residue.hpp"

namespace jobs {
namespace {

struct options {
  std::vector<std::uint64_t> numbers{35, 40, 30};
  output_options output;
};

/// In decimal, because turning a long number into digits is the larger part of the work.
std::string fibonacci(std::uint64_t n) {
  mpz_class value;
  mpz_fib_ui(value.get_mpz_t(), n);
  return value.get_str();
}

std::string checked_fibonacci(std::uint64_t n) {
  std::string digits = fibonacci(n);
  for (const std::uint64_t p : check_primes) {
    if (residue_of_digits(digits, p) == fibonacci_mod(n, p)) continue;
    throw std::logic_error("F(" + std::to_string(n) + ") came out wrong modulo " + std::to_string(p));
  }
  return digits;
}

int print_fibonacci(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  std::vector<rankpool::future<std::string>> futures;
  const auto task = context.verify ? checked_fibonacci : fibonacci;
  context.shown.expect(chosen.numbers.size());
  for (const std::uint64_t n : chosen.numbers) futures.push_back(pool.submit(task, n));
  for (const auto& future : rankpool::as_completed(std::exchange(futures, {}))) {
    out.print("Fibonacci result: ", future.result(), '\n');
    out.flush();
  }
  if (context.verify) context.verified(true, "the digits have the right residues modulo three primes");
  out.finish();
  return 0;
}

void add_fibonacci(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "fibonacci", "Fibonacci numbers of any size, as they are completed",
      [chosen](rankpool::cluster& cluster, command_context& c) { return print_fibonacci(cluster, c, *chosen); },
      [chosen] { chosen->output.check(); });
  add_numbers<std::uint64_t>(job, "n", chosen->numbers, "which ones (default 35 40 30)", 0, 1'000'000'000);
  add_output(job, chosen->output);
  add_verify(job, context, "check the digits modulo three primes, on the workers");
  job.footer("Each number is a task: there is no --chunksize.");
}

const job_entry entry("fibonacci", add_fibonacci);

}  // namespace
}  // namespace jobs
