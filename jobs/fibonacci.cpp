// Example 7: Fibonacci numbers, printed as they are completed. F(0) = 0, F(1) = 1.
#include <gmpxx.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/check_queue.hpp"
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

/// The prime modulo which `digits` are not those of F(n), 0 if there is none.
std::uint64_t wrong_modulus(std::uint64_t n, const std::string& digits) {
  for (const std::uint64_t p : check_primes) {
    if (residue_of_digits(digits, p) != fibonacci_mod(n, p)) return p;
  }
  return 0;
}

int print_fibonacci(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  std::vector<rankpool::future<std::string>> futures;
  std::unordered_map<std::uint64_t, std::uint64_t> number_of;  // by the id of its future
  std::uint64_t wrong = 0;
  check_queue<std::uint64_t> checks(pool, [&](std::uint64_t modulus) { wrong = modulus != 0 ? modulus : wrong; });
  context.shown.expect(chosen.numbers.size() * (context.verify ? 2 : 1));
  for (const std::uint64_t n : chosen.numbers) {
    futures.push_back(pool.submit(fibonacci, n));
    number_of[futures.back().id()] = n;
  }
  for (const auto& future : rankpool::as_completed(std::exchange(futures, {}))) {
    out.print("Fibonacci result: ", future.result(), '\n');
    out.flush();
    if (context.verify) checks.add(wrong_modulus, number_of.at(future.id()), future.result());
  }
  if (context.verify) {
    checks.finish();
    context.verified(wrong == 0, "the digits have the right residues modulo three primes" +
                                     (wrong == 0 ? "" : ", and some are wrong modulo " + std::to_string(wrong)));
  }
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
