// Example 1: the squares of consecutive numbers, with map.
#include <cstdint>
#include <memory>

#include "jobs.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  interval<std::int64_t> range{1, 5};
  output_options output;
};

__int128 square(std::int64_t n) { return static_cast<__int128>(n) * n; }

int squares(rankpool::cluster& cluster, const command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(chosen.output);
  std::int64_t n = chosen.range.from;
  for (const __int128 result : pool.map({.buffersize = 1 << 20}, square, chosen.range.numbers())) {
    out.print("Square of ", n++, ": ", result, '\n');
  }
  out.finish();
  return 0;
}

}  // namespace

void add_squares(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "squares", "squares of consecutive numbers, in order",
      [chosen](rankpool::cluster& cluster, const command_context& c) { return squares(cluster, c, *chosen); },
      [chosen] {
        chosen->range.check();
        chosen->output.check();
      });
  constexpr std::int64_t limit = 9'000'000'000'000'000'000;
  add_interval(job, chosen->range, -limit, limit);
  add_output(job, chosen->output);
}

}  // namespace jobs
