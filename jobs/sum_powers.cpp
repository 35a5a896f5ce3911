// Example 5 and exercise 1: exact sums of the squares and of the cubes of consecutive numbers. Workers sum segments.
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "engine/job.hpp"
#include "support/closed_form.hpp"
#include "support/interval.hpp"
#include "support/power_sums.hpp"

namespace jobs {
namespace {

struct power {
  std::string plural;
  mpz_class (*add)(const number_range& numbers);
  mpz_class (*sum)(const mpz_class& from, const mpz_class& to);  // closed form of the sum
  interval<std::uint64_t> range;                                 // default of --from and --to
};

class sum_powers : public job {
 public:
  explicit sum_powers(power which) : power_(std::move(which)), range_(power_.range) {}

 private:
  power power_;
  interval<std::uint64_t> range_;

  void declare(job_options& options) override {
    options.interval(range_, 0, 10'000'000'000'000'000'000U);
    options.output();
    options.chunksize("numbers in a chunk (default: by the time they take)");
    options.verify("compare the sum with the closed form");
  }

  void run(job_run& run) override {
    const auto segments = range_.segments(run.chunksize_or(numbers_per_sum(range_, run.workers())));
    run.expect_tasks(segments.size());
    // Without a buffer size, all segments would be in memory at once.
    const mpz_class sum =
        run.pool().transform_reduce({.buffersize = 1 << 16}, segments, mpz_class(), std::plus<mpz_class>(), power_.add);
    if (run.verifies()) run.verified(sum == power_.sum(range_.from, range_.to), "the sum equals the closed form");
    run.report().add("sum", sum);
    run.out().print("Total sum of ", power_.plural, ": ", sum, '\n');
  }
};

const job_entry<sum_powers> squares("sum-squares", "exact sum of the squares of consecutive numbers",
                                    power{"squares", add_squares, sum_of_squares, {0, 9999}});
const job_entry<sum_powers> cubes("sum-cubes", "exact sum of the cubes of consecutive numbers",
                                  power{"cubes", add_cubes, sum_of_cubes, {1, 10'000}});

}  // namespace
}  // namespace jobs
