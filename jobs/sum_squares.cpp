// Example 5: the sum of the squares of consecutive numbers, exact, in chunks that are added up where they run.
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
  interval<std::uint64_t> range{0, 9999};
  output_options output;
};

int sum_squares(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  const auto segments = chosen.range.segments(context.chunk_or(numbers_per_sum(chosen.range, context.divided_for(pool))));
  context.shown.expect(segments.size());
  const mpz_class sum = pool.transform_reduce(segments, mpz_class(), std::plus<mpz_class>(), add_squares);
  if (context.verify) {
    context.verified(sum == sum_of_squares(chosen.range.from, chosen.range.to), "the sum is that of the closed form");
  }
  context.report.add("sum", sum);
  output out(context, chosen.output);
  out.print("Total sum of squares: ", sum, '\n');
  out.finish();
  return 0;
}

void add_sum_squares(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "sum-squares", "exact sum of the squares of consecutive numbers",
      [chosen](rankpool::cluster& cluster, command_context& c) { return sum_squares(cluster, c, *chosen); },
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

const job_entry entry("sum-squares", add_sum_squares);

}  // namespace
}  // namespace jobs
