// Example 6: computes factorials with one worker and then with three, and reports both times.
//
// With numbers as arguments, all workers share each factorial. The job prints its figures or writes all its digits.
#include <gmpxx.h>

#include <chrono>
#include <cstdint>
#include <iomanip>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/job.hpp"
#include "factorial/decimal.hpp"
#include "factorial/shares.hpp"
#include "factorial/split_factorial.hpp"

namespace jobs {
namespace {

class split_factorials : public job {
  std::vector<std::uint64_t> numbers_;  // empty: the tutorial's numbers
  std::string digits_;

  void declare(job_options& options) override {
    options.numbers("n", numbers_, "which ones (default: 10000 15000 20000 in full, timed)", 0, largest_factorial);
    options.text("--digits", digits_, "write all decimal digits of one factorial to this file", "FILE").identified_by([this] {
      return digits_.empty() ? "" : job_options::only_name;
    });
    options.output();
    options.max_failures(
        "start no more tasks after this many have failed (default 1); until then, report a factorial that lost a task, and "
        "print the others. With --digits and in the example, a failed task always ends the run");
    options.verify("check the value modulo several primes and by Legendre's formula, on the workers");
    options.footer("Tasks are parts of the work that take about the same time: there is no --chunksize.");
  }

  output_options digits_output(const run_settings& settings) const {
    return {.path = digits_, .force = settings.output.force, .option = "--digits", .journal = settings.output.journal};
  }

  void check(const run_settings& settings) override {
    settings.output.check();
    if (numbers_.empty() && settings.verify) throw usage_error("--verify requires numbers as arguments");
    if (numbers_.empty() && settings.max_workers > 0)
      throw usage_error("--workers requires numbers as arguments: the example without them uses 1 and then 3 workers");
    if (digits_.empty()) return;
    if (numbers_.size() != 1)
      throw usage_error("--digits requires one number as argument, but " + std::to_string(numbers_.size()) + " were given");
    check_distinct({}, {settings.output, digits_output(settings)});
    digits_output(settings).check();
  }

  void run(job_run& run) override {
    if (numbers_.empty()) return compare_worker_counts(run);
    std::vector<factorial_report> reports;
    const auto keep = [&](const factorial_report& report) {
      run.out().print(line_for(report), '\n');
      reports.push_back(report);
    };
    const split_options split{.workers = run.workers(),
                              .verify = run.verifies(),
                              .on_report = keep,
                              .on_progress = [&](std::size_t done, std::size_t all) { run.shown().set(done, all); },
                              .on_failure = [&](std::uint64_t n) { run.take_failure(std::to_string(n) + "!"); }};
    if (!digits_.empty()) {
      write_digits(run, split);
    } else {
      // One number at a time: each uses all workers, and its line is printed as soon as it is done.
      for (const std::uint64_t n : numbers_) {
        report_factorials(run.pool(), {n}, split);
        run.out().flush();
      }
    }
    run.report().add_json("factorials", json_for(reports));
    if (run.verifies()) run.verified(true, factorials_verified);
  }

  static void compare_worker_counts(job_run& run) {
    for (const int workers : {1, 3}) {
      run.out().print("\nUsing ", workers, " workers:\n");
      const auto start = std::chrono::steady_clock::now();
      const std::vector<std::uint64_t> numbers{10'000, 15'000, 20'000};
      rankpool::executor_options options = run.executor_options();
      options.max_workers = workers;
      rankpool::executor pool(run.cluster(), options);
      std::size_t next = 0;
      for (const mpz_class& value : pool.map({.chunksize = 1}, factorial, numbers)) {
        run.out().print("Factorial of ", numbers[next++], ": ");
        run.out().print(value);
        run.out().print('\n');
      }
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      std::ostringstream line;
      line << "Time taken: " << std::fixed << std::setprecision(4) << taken.count() << " seconds\n";
      run.out().print(line.str());
      run.out().flush();
    }
  }

  void write_digits(job_run& run, const split_options& split) const {
    output file(run, digits_output(run.settings()));
    write_decimal(factorial_digits(run.pool(), numbers_.front(), split), [&](std::string_view text) { file.print(text); });
    file.print('\n');
    file.finish();
  }
};

const job_entry<split_factorials> entry("factorial", "factorials up to 100,000,000!, each split over all the workers");

}  // namespace
}  // namespace jobs
