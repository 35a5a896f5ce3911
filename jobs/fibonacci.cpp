// Example 7: Fibonacci numbers, printed as they are completed. F(0) = 0, F(1) = 1.
#include <gmpxx.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jobs.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

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

int print_fibonacci(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  std::vector<rankpool::future<std::string>> futures;
  for (const std::uint64_t n : chosen.numbers) futures.push_back(pool.submit(fibonacci, n));
  for (const auto& future : rankpool::as_completed(std::exchange(futures, {}))) {
    out.print("Fibonacci result: ", future.result(), '\n');
    out.flush();
  }
  out.finish();
  return 0;
}

}  // namespace

void add_fibonacci(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "fibonacci", "Fibonacci numbers of any size, as they are completed",
      [chosen](rankpool::cluster& cluster, command_context& c) { return print_fibonacci(cluster, c, *chosen); },
      [chosen] { chosen->output.check(); });
  add_numbers<std::uint64_t>(job, "n", chosen->numbers, "which ones (default 35 40 30)", 0, 1'000'000'000);
  add_output(job, chosen->output);
}

}  // namespace jobs
