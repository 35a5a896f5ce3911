// Exercise 2: computes figures of ten large factorials in one run. A large one is several tasks, a small one is one task.
#include <cstdint>
#include <string>
#include <vector>

#include "engine/job.hpp"
#include "factorial/shares.hpp"
#include "factorial/split_factorial.hpp"

namespace jobs {
namespace {

class factorials : public job {
  std::vector<std::uint64_t> numbers_{100'000, 200'000, 300'000, 400'000, 500'000, 600'000, 700'000, 800'000, 900'000, 1'000'000};

  void declare(job_options& options) override {
    options.numbers("n", numbers_, "which ones (default 100000 200000 ... 1000000)", 0, largest_factorial);
    options.output();
    options.max_failures();
    options.verify("check the values modulo several primes and by Legendre's formula, on the workers");
    options.footer("Tasks are parts of the work that take about the same time: there is no --chunksize.");
  }

  void run(job_run& run) override {
    std::vector<factorial_report> reports;
    const auto print_line = [&](const factorial_report& report) {
      run.out().print(line_for(report), '\n');
      run.out().flush();
      reports.push_back(report);
    };
    report_factorials(run.pool(), numbers_,
                      {.workers = run.workers(),
                       .verify = run.verifies(),
                       .on_report = print_line,
                       .on_progress = [&](std::size_t done, std::size_t all) { run.shown().set(done, all); },
                       .on_failure = [&](std::uint64_t n) { run.take_failure(std::to_string(n) + "!"); }});
    run.report().add_json("factorials", json_for(reports));
    if (run.verifies()) run.verified(true, factorials_verified);
  }
};

const job_entry<factorials> entry(
    "factorials", "figures of many large factorials: the number of digits, the first and the last ones, the zeros at the end");

}  // namespace
}  // namespace jobs
