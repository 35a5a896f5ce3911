// Example 1: the squares of consecutive numbers, computed with map().
#include <cstdint>
#include <string>

#include "engine/job.hpp"
#include "engine/printed_sum.hpp"
#include "support/closed_form.hpp"
#include "support/interval.hpp"
#include "support/text.hpp"

namespace jobs {
namespace {

__int128 square(std::int64_t n) { return static_cast<__int128>(n) * n; }

/// Returns the squares of `first` to `last` as lines. Workers also format them, because that costs more than computing them.
std::string square_lines(std::int64_t first, std::int64_t last) {
  text_builder lines;
  for (std::int64_t n = first; n <= last; ++n) lines.print("Square of ", n, ": ", square(n), '\n');
  return lines.take();
}

class squares : public job {
  static constexpr std::int64_t limit = 9'000'000'000'000'000'000;
  interval<std::int64_t> range_{1, 5};

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
    const int in_flight = run.tasks_in_flight(70 * numbers_per_task);
    const auto print = [&](std::size_t, const std::string& lines) {
      run.out().print(lines);
      sum.add(lines);
    };
    const auto name = [&](std::size_t i) { return "squares of " + range_.text_of(segments[static_cast<std::size_t>(i)]); };
    run.take_each(run.pool().starmap({.chunksize = 1, .buffersize = in_flight}, square_lines, segments), print, name);
    sum.verify([this] { return sum_of_squares(range_.from, range_.to); });
  }
};

const job_entry<squares> squares_entry("squares", "squares of consecutive numbers, in order");

}  // namespace
}  // namespace jobs
