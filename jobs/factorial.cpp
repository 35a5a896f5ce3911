// Example 6: factorials, with one worker and then with three, and the time each takes.
//
// With numbers as arguments: each one split over all workers, told by its figures or written out in full.
#include <gmpxx.h>

#include <chrono>
#include <cstdint>
#include <iomanip>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "factorial/decimal.hpp"
#include "factorial/shares.hpp"
#include "factorial/split_factorial.hpp"
#include "support/command.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  std::vector<std::uint64_t> numbers;
  std::string digits;
  output_options output;

  output_options digits_output() const { return {digits, output.force, "--digits", output.journal}; }
  void check(const command_context& context) const {
    output.check();
    if (numbers.empty() && context.verify) throw usage_error("--verify checks numbers that are given, and there are none");
    if (numbers.empty() && context.max_workers > 0)
      throw usage_error("--workers is for numbers that are given: the example without takes 1 and then 3");
    if (digits.empty()) return;
    if (numbers.size() != 1)
      throw usage_error("--digits takes the digits of one number, and there are " + std::to_string(numbers.size()));
    check_distinct({}, {output, digits_output()});
    digits_output().check();
  }
};

void compare_worker_counts(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  output out(context, chosen.output);
  for (const int workers : {1, 3}) {
    out.print("\nUsing ", workers, " workers:\n");
    const auto start = std::chrono::steady_clock::now();
    const std::vector<std::uint64_t> numbers{10'000, 15'000, 20'000};
    rankpool::executor_options as_told = context.executor_options();
    as_told.max_workers = workers;
    rankpool::executor pool(cluster, as_told);
    std::size_t next = 0;
    for (const mpz_class& value : pool.map({.chunksize = 1}, factorial, numbers)) {
      out.print("Factorial of ", numbers[next++], ": ");
      out.print(value);
      out.print('\n');
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    std::ostringstream line;
    line << "Time taken: " << std::fixed << std::setprecision(4) << taken.count() << " seconds\n";
    out.print(line.str());
    out.flush();
  }
  out.finish();
}

void write_digits(rankpool::executor& pool, command_context& context, const options& chosen, const split_options& split) {
  output file(context, chosen.digits_output());
  write_decimal(factorial_digits(pool, chosen.numbers.front(), split), [&](std::string_view text) { file.print(text); });
  file.print('\n');
  file.finish();
}

int run_factorial(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  if (chosen.numbers.empty()) {
    compare_worker_counts(cluster, context, chosen);
    return 0;
  }
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  std::vector<factorial_report> reports;
  const auto keep = [&](const factorial_report& report) {
    out.print(line_for(report), '\n');
    reports.push_back(report);
  };
  split_options split{.workers = context.divided_for(pool),
                      .verify = context.verify,
                      .on_report = keep,
                      .on_progress = [&](std::size_t done, std::size_t all) { context.shown.set(done, all); }};
  if (!chosen.digits.empty()) {
    write_digits(pool, context, chosen, split);
  } else {
    // One after another: each has all the workers, and its line appears when it is done.
    for (const std::uint64_t n : chosen.numbers) {
      report_factorials(pool, {n}, split);
      out.flush();
    }
  }
  context.report.add_json("factorials", json_for(reports));
  if (context.verify)
    context.verified(true, "every value has the right residues modulo several primes and the powers of Legendre's formula");
  out.finish();
  return 0;
}

void add_factorial(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "factorial", "factorials up to 100,000,000!, each split over all the workers",
      [chosen](rankpool::cluster& cluster, command_context& c) { return run_factorial(cluster, c, *chosen); },
      [chosen, &context] { chosen->check(context); });
  add_numbers<std::uint64_t>(job, "n", chosen->numbers, "which ones (default: 10000 15000 20000 in full, timed)", 0,
                             largest_factorial);
  job.add_option("--digits", chosen->digits, "write all decimal digits of one factorial to this file")->type_name("FILE");
  add_output(job, chosen->output);
  add_verify(job, context, "check the value modulo several primes and by Legendre's formula, on the workers");
  job.footer("Tasks are shares of the work, by how long they take: there is no --chunksize.");
}

const job_entry entry("factorial", add_factorial);

}  // namespace
}  // namespace jobs
