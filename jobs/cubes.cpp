// Example 2: the cubes of consecutive numbers, one submit for each.
#include <cstdint>
#include <deque>
#include <memory>

#include "jobs.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"

namespace jobs {
namespace {

struct options {
  interval<std::int64_t> range{1, 4};
  output_options output;
};

__int128 cube(std::int64_t n) { return static_cast<__int128>(n) * n * n; }

int cubes(rankpool::cluster& cluster, const command_context& context, const options& chosen) {
  constexpr std::size_t most_outstanding = 1 << 17;  // futures held here at once
  rankpool::executor pool(cluster, context.executor_options());
  output out(chosen.output);
  std::deque<rankpool::future<__int128>> outstanding;
  const auto print_oldest = [&] {
    out.print("Cube: ", outstanding.front().result(), '\n');
    outstanding.pop_front();
  };
  for (const std::int64_t n : chosen.range.numbers()) {
    if (outstanding.size() == most_outstanding) print_oldest();
    outstanding.push_back(pool.submit(cube, n));
  }
  while (!outstanding.empty()) print_oldest();
  out.finish();
  return 0;
}

}  // namespace

void add_cubes(CLI::App& app, command_context& context) {
  auto chosen = std::make_shared<options>();
  CLI::App& job = add_job(
      app, context, "cubes", "cubes of consecutive numbers, each submitted on its own",
      [chosen](rankpool::cluster& cluster, const command_context& c) { return cubes(cluster, c, *chosen); },
      [chosen] {
        chosen->range.check();
        chosen->output.check();
      });
  constexpr std::int64_t limit = 5'500'000'000'000;  // its cube fits 128 bits
  add_interval(job, chosen->range, -limit, limit);
  add_output(job, chosen->output);
}

}  // namespace jobs
