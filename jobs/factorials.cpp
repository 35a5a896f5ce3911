// Exercise 2: computes figures of ten large factorials in one run. A large one is several tasks, a small one is one task.
#include <cstdint>
#include <vector>

#include "engine/job.hpp"
#include "factorial/printer.hpp"
#include "factorial/shares.hpp"

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
    factorial_printer printer(run);
    printer.print(numbers_);
    printer.finish();
  }
};

const job_entry<factorials> factorials_entry(
    "factorials", "figures of many large factorials: the number of digits, the first and the last ones, the zeros at the end");

}  // namespace
}  // namespace jobs
