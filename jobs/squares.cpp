// Example 1: the squares of consecutive numbers, with map.
#include "jobs.hpp"
#include "support/numbers.hpp"
#include "support/output.hpp"

#include <algorithm>
#include <memory>
#include <ranges>

namespace jobs {
namespace {

struct options {
  std::int64_t from = 1;
  std::int64_t to = 5;
  output_options output;
};

__int128 square(std::int64_t n) { return static_cast<__int128>(n) * n; }

int squares(rankpool::cluster& cluster, const command_context& context, const options& chosen) {
  rankpool::executor pool(cluster, context.executor_options());
  output out(chosen.output);
  std::int64_t n = chosen.from;
  for (const __int128 result : pool.map({.buffersize = 1 << 20}, square, std::views::iota(chosen.from, chosen.to + 1))) {
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
        if (chosen->to < chosen->from) throw usage_error("--to must not be less than --from");
        chosen->output.check();
      });
  constexpr std::int64_t limit = 9'000'000'000'000'000'000;
  add_number(job, "--from", chosen->from, "first number (default 1)", -limit, limit);
  add_number(job, "--to", chosen->to, "last number (default 5)", -limit, limit);
  add_output(job, chosen->output);
}

}  // namespace jobs
