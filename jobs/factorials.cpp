// Exercise 2: ten large factorials, told by their figures; large ones are split, small ones stay whole, all in one queue.
#include <cstdint>
#include <memory>
#include <vector>

#include "factorial/shares.hpp"
#include "factorial/split_factorial.hpp"
#include "support/command.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  std::vector<std::uint64_t> numbers{100'000, 200'000, 300'000, 400'000, 500'000, 600'000, 700'000, 800'000, 900'000, 1'000'000};
  output_options output;
};

int run_factorials(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  std::vector<factorial_report> reports;
  const auto print_line = [&](const factorial_report& report) {
    out.print(line_for(report), '\n');
    out.flush();
    reports.push_back(report);
  };
  report_factorials(pool, chosen.numbers,
                    {.workers = context.divided_for(pool), .verify = context.verify, .on_report = print_line, .on_progress = [&](std::size_t done, std::size_t all) {
                       context.shown.set(done, all);
                     }});
  context.report.add_json("factorials", json_for(reports));
  if (context.verify)
    context.verified(true, "every value has the right residues modulo several primes and the powers of Legendre's formula");
  out.finish();
  return 0;
}

void add_factorials(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "factorials", "the digits of many large factorials: how many, the first, the last, and the zeros at the end",
      [chosen](rankpool::cluster& cluster, command_context& c) { return run_factorials(cluster, c, *chosen); },
      [chosen] { chosen->output.check(); });
  add_numbers<std::uint64_t>(job, "n", chosen->numbers, "which ones (default 100000 200000 ... 1000000)", 0, largest_factorial);
  add_output(job, chosen->output);
  add_verify(job, context, "check the values modulo several primes and by Legendre's formula, on the workers");
  job.footer("Tasks are shares of the work, by how long they take: there is no --chunksize.");
}

const job_entry entry("factorials", add_factorials);

}  // namespace
}  // namespace jobs
