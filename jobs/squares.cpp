// Example 1: the squares of consecutive numbers, with map.
#include <cstdint>
#include <memory>
#include <string>

#include "support/check_queue.hpp"
#include "support/closed_form.hpp"
#include "support/command.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
#include "support/printed_sum.hpp"
#include "support/text.hpp"

namespace jobs {
namespace {

struct options {
  interval<std::int64_t> range{1, 5};
  output_options output;
};

__int128 square(std::int64_t n) { return static_cast<__int128>(n) * n; }

/// The squares of `first` to `last` as lines: printing costs more than squaring, so that is what the workers do.
std::string square_lines(std::int64_t first, std::int64_t last) {
  text_builder lines;
  for (std::int64_t n = first; n <= last; ++n) lines.print("Square of ", n, ": ", square(n), '\n');
  return lines.take();
}

int squares(rankpool::cluster& cluster, command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(context, chosen.output);
  const auto segments = chosen.range.segments(context.chunk_or(lines_per_task(chosen.range, context.divided_for(pool))));
  context.shown.expect(std::ranges::size(segments) * (context.verify ? 2 : 1));
  mpz_class printed = 0;
  check_queue<mpz_class> sums(pool, [&](const mpz_class& sum) { printed += sum; });
  for (const std::string& lines : pool.starmap({.chunksize = 1, .buffersize = 16 * pool.num_workers()}, square_lines, segments)) {
    out.print(lines);
    if (context.verify) sums.add(sum_of_last_numbers, lines);
  }
  if (context.verify) {
    sums.finish();
    context.verified(printed == sum_of_squares(chosen.range.from, chosen.range.to), "what was printed adds up to the closed form");
  }
  out.finish();
  return 0;
}

void add_squares(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "squares", "squares of consecutive numbers, in order",
      [chosen](rankpool::cluster& cluster, command_context& c) { return squares(cluster, c, *chosen); },
      [chosen] {
        chosen->range.check();
        chosen->output.check();
      });
  constexpr std::int64_t limit = 9'000'000'000'000'000'000;
  add_interval(job, chosen->range, -limit, limit);
  add_output(job, chosen->output);
  add_chunksize(job, context, "numbers in a task (default: at most 8192, fewer for a short interval)");
  add_verify(job, context, "compare the sum of what was printed with the closed form");
}

const job_entry entry("squares", add_squares);

}  // namespace
}  // namespace jobs
