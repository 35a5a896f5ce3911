// Example 5: the sum of the squares of consecutive numbers, exact, in chunks that are added up where they run.
#include <cstdint>
#include <functional>
#include <memory>

#include "jobs.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
#include "support/wide_sum.hpp"

namespace jobs {
namespace {

struct options {
  interval<std::uint64_t> range{0, 9999};
  output_options output;
};

/// An object, not a function, so that the loop over a chunk inlines it.
struct square {
  wide_sum operator()(std::uint64_t n) const { return exact_square(n); }
};

int sum_squares(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  const wide_sum sum = pool.transform_reduce(chosen.range.numbers(), wide_sum{}, std::plus<wide_sum>{}, square{});
  output out(context, chosen.output);
  out.print("Total sum of squares: ", to_integer(sum), '\n');
  out.finish();
  return 0;
}

}  // namespace

void add_sum_squares(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "sum-squares", "exact sum of the squares of consecutive numbers",
      [chosen](rankpool::cluster& cluster, command_context& c) { return sum_squares(cluster, c, *chosen); },
      [chosen] {
        chosen->range.check();
        chosen->output.check();
      });
  constexpr std::uint64_t limit = 10'000'000'000'000'000'000U;  // any sum of squares of 64-bit numbers fits 192 bits
  add_interval<std::uint64_t>(job, chosen->range, 0, limit);
  add_output(job, chosen->output);
}

}  // namespace jobs
