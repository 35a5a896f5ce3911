// Example 2: the cubes of consecutive numbers, with submit.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "support/check_queue.hpp"
#include "support/closed_form.hpp"
#include "support/command.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
#include "support/printed_sum.hpp"
#include "support/result_queue.hpp"
#include "support/text.hpp"

namespace jobs {
namespace {

struct options {
  interval<std::int64_t> range{1, 4};
  output_options output;
};

__int128 cube(std::int64_t n) { return static_cast<__int128>(n) * n * n; }

/// The cubes of `first` to `last` as lines: printing costs more than cubing, so that is what the workers do.
std::string cube_lines(std::int64_t first, std::int64_t last) {
  text_builder lines;
  for (std::int64_t n = first; n <= last; ++n) lines.print("Cube: ", cube(n), '\n');
  return lines.take();
}

int cubes(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  mpz_class printed = 0;
  check_queue<mpz_class> sums(pool, [&](const mpz_class& sum) { printed += sum; });
  result_queue<std::string> outstanding(16 * static_cast<std::size_t>(pool.num_workers()), [&](auto&& submitted, const auto&) {
    const std::string lines = std::move(submitted).result();
    out.print(lines);
    if (context.verify) sums.add(sum_of_last_numbers, lines);
  });
  const auto segments = chosen.range.segments(context.chunk_or(lines_per_task(chosen.range, context.divided_for(pool))));
  context.shown.expect(std::ranges::size(segments) * (context.verify ? 2 : 1));
  for (const auto& [first, last] : segments) outstanding.add(pool.submit(cube_lines, first, last));
  outstanding.finish();
  if (context.verify) {
    sums.finish();
    context.verified(printed == sum_of_cubes(chosen.range.from, chosen.range.to), "what was printed adds up to the closed form");
  }
  out.finish();
  return 0;
}

void add_cubes(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "cubes", "cubes of consecutive numbers, in order",
      [chosen](rankpool::cluster& cluster, command_context& c) { return cubes(cluster, c, *chosen); },
      [chosen] {
        chosen->range.check();
        chosen->output.check();
      });
  constexpr std::int64_t limit = 5'500'000'000'000;  // its cube fits 128 bits
  add_interval(job, chosen->range, -limit, limit);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a task (default: at most 8192, fewer for a short interval)");
  add_verify(job, context, "compare the sum of what was printed with the closed form");
}

const job_entry entry("cubes", add_cubes);

}  // namespace
}  // namespace jobs
