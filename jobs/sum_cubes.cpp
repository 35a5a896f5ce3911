// Exercise 1: the sum of the cubes of consecutive numbers, by default those of 1 to 10,000, exact, in chunks that are added up
// where they run.
#include <cstdint>
#include <functional>
#include <memory>

#include "support/closed_form.hpp"
#include "support/command.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
#include "support/power_sums.hpp"

namespace jobs {
namespace {

struct options {
  interval<std::uint64_t> range{1, 10'000};
  output_options output;
};

int sum_cubes(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  const auto segments = chosen.range.segments(context.chunk_or(numbers_per_sum(chosen.range, context.divided_for(pool))));
  context.shown.expect(segments.size());
  const mpz_class sum = pool.transform_reduce(segments, mpz_class(), std::plus<mpz_class>(), add_cubes);
  if (context.verify) {
    context.verified(sum == sum_of_cubes(chosen.range.from, chosen.range.to), "the sum is that of the closed form");
  }
  context.report.add("sum", sum);
  output out(context, chosen.output);
  out.print("Total sum of cubes: ", sum, '\n');
  out.finish();
  return 0;
}

void add_sum_cubes(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "sum-cubes", "exact sum of the cubes of consecutive numbers",
      [chosen](rankpool::cluster& cluster, command_context& c) { return sum_cubes(cluster, c, *chosen); },
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

const job_entry entry("sum-cubes", add_sum_cubes);

}  // namespace
}  // namespace jobs
