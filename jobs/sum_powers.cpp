// Example 5 and exercise 1: exact sums of the squares and of the cubes of consecutive numbers. Each worker adds up chunks of them.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "support/closed_form.hpp"
#include "support/command.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
#include "support/power_sums.hpp"

namespace jobs {
namespace {

struct power {
  std::string plural;
  mpz_class (*add)(const number_range& numbers);
  mpz_class (*sum)(const mpz_class& from, const mpz_class& to);  // by the closed form
  interval<std::uint64_t> range;                                 // unless another one is given
};

struct options {
  interval<std::uint64_t> range;
  output_options output;
};

int sum_powers(rankpool::cluster& cluster, command_context& context, const power& which, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  const auto segments = chosen.range.segments(context.chunk_or(numbers_per_sum(chosen.range, context.divided_for(pool))));
  context.shown.expect(segments.size());
  // Without a buffer size, all segments would be in memory at once.
  const mpz_class sum = pool.transform_reduce({.buffersize = 1 << 16}, segments, mpz_class(), std::plus<mpz_class>(), which.add);
  if (context.verify) {
    context.verified(sum == which.sum(chosen.range.from, chosen.range.to), "the sum is that of the closed form");
  }
  context.report.add("sum", sum);
  output out(context, chosen.output);
  out.print("Total sum of ", which.plural, ": ", sum, '\n');
  out.finish();
  return 0;
}

void add_sum_of_powers(CLI::App& app, command_context& context, const power& which) {
  auto chosen = std::make_shared<options>(options{which.range, {}});
  CLI::App& job = add_job(
      app, context, "sum-" + which.plural, "exact sum of the " + which.plural + " of consecutive numbers",
      [chosen, which](rankpool::cluster& cluster, command_context& c) { return sum_powers(cluster, c, which, *chosen); },
      [chosen] {
        chosen->range.check();
        chosen->output.check();
      });
  constexpr std::uint64_t limit = 10'000'000'000'000'000'000U;
  add_interval<std::uint64_t>(job, chosen->range, 0, limit);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a chunk (default: by the time they take)");
  add_verify(job, context, "compare the sum with the closed form");
}

const job_entry squares("sum-squares", [](CLI::App& app, command_context& context) {
  add_sum_of_powers(app, context, {"squares", add_squares, sum_of_squares, {0, 9999}});
});
const job_entry cubes("sum-cubes", [](CLI::App& app, command_context& context) {
  add_sum_of_powers(app, context, {"cubes", add_cubes, sum_of_cubes, {1, 10'000}});
});

}  // namespace
}  // namespace jobs
