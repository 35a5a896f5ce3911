// Example 2: the cubes of consecutive numbers, with submit.
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "jobs.hpp"
#include "support/interval.hpp"
#include "support/output.hpp"
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
  std::deque<rankpool::future<std::string>> outstanding;
  const auto print_oldest = [&] {
    out.print(outstanding.front().result());
    outstanding.pop_front();
  };
  for (const auto& [first, last] : chosen.range.segments(lines_per_task(chosen.range, pool.num_workers()))) {
    if (outstanding.size() == 16 * static_cast<std::size_t>(pool.num_workers())) print_oldest();
    outstanding.push_back(pool.submit(cube_lines, first, last));
  }
  while (!outstanding.empty()) print_oldest();
  out.finish();
  return 0;
}

}  // namespace

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
}

}  // namespace jobs
