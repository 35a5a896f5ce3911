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
#include "factorial/printer.hpp"
#include "factorial/shares.hpp"

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
    factorial_printer printer(run);
    if (!digits_.empty()) {
      write_digits(run, printer);
    } else {
      // One number at a time: each uses all workers, and its line is printed as soon as it is done.
      for (const std::uint64_t n : numbers_) {
        if (!run.may_start_more()) break;
        printer.print({n});
      }
    }
    printer.finish();
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

  void write_digits(job_run& run, factorial_printer& printer) const {
    output file(run, digits_output(run.settings()));
    write_decimal(printer.digits(numbers_.front()), [&](std::string_view text) { file.print(text); });
    file.print('\n');
    file.finish();
  }
};

const job_entry<split_factorials> split_factorials_entry("factorial",
                                                         "factorials up to 100,000,000!, each split over all the workers");

}  // namespace
}  // namespace jobs
