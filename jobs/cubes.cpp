// Example 2: the cubes of consecutive numbers, computed with submit().
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include "engine/job.hpp"
#include "engine/printed_sum.hpp"
#include "support/closed_form.hpp"
#include "support/interval.hpp"
#include "support/result_queue.hpp"
#include "support/text.hpp"

namespace jobs {
namespace {

__int128 cube(std::int64_t n) { return static_cast<__int128>(n) * n * n; }

/// Returns the cubes of `first` to `last` as lines. Workers also format them, because that costs more than computing them.
std::string cube_lines(std::int64_t first, std::int64_t last) {
  text_builder lines;
  for (std::int64_t n = first; n <= last; ++n) lines.print("Cube: ", cube(n), '\n');
  return lines.take();
}

class cubes : public job {
  using segment = std::tuple<std::int64_t, std::int64_t>;
  static constexpr std::int64_t limit = 5'500'000'000'000;  // its cube fits into 128 bits
  interval<std::int64_t> range_{1, 4};

  void declare(job_options& options) override {
    options.interval(range_, -limit, limit);
    options.output();
    options.max_failures();
    options.chunksize("numbers in a task (default: at most 8192, fewer for a short interval)");
    options.verify("compare the sum of the printed numbers with the closed form");
  }

  void run(job_run& run) override {
    const auto numbers_per_task = run.chunksize_or(lines_per_task(range_, run.workers()));
    const auto segments = range_.segments(numbers_per_task);
    run.expect_tasks(segments.size(), segments.size());
    printed_sum sum(run);
    const int in_flight = run.tasks_in_flight(50 * numbers_per_task);
    result_queue<std::string, segment> tasks(static_cast<std::size_t>(in_flight), [&](auto&& submitted, const segment& numbers) {
      std::string lines;
      try {
        lines = std::move(submitted).result();
      } catch (...) {
        run.take_failure("cubes of " + range_.text_of(numbers));
        return;
      }
      run.out().print(lines);
      sum.add(lines);
    });
    for (const auto& [first, last] : segments) {
      if (!run.may_start_more()) break;
      tasks.add(run.pool().submit(cube_lines, first, last), {first, last});
    }
    tasks.finish();
    sum.verify([this] { return sum_of_cubes(range_.from, range_.to); });
  }
};

const job_entry<cubes> cubes_entry("cubes", "cubes of consecutive numbers, in order");

}  // namespace
}  // namespace jobs
