// Tests the progress of a job: its text, its rate, and what counts in it.
#include "engine/progress.hpp"

#include <cmath>
#include <string>

#include "engine/run_figures.hpp"
#include "engine/smoothed_rate.hpp"
#include "support/catch.hpp"

using namespace jobs;

namespace {

bool is_near(double value, double expected) { return std::abs(value - expected) < 0.01 * expected; }

}  // namespace

TEST_CASE("progress shows a total only while it is not exceeded") {
  run_figures figures{.done = 1, .total = 2, .elapsed_seconds = 10, .rate = 0.1, .remaining_seconds = 10};
  CHECK(progress_text(figures) == "1 of 2 done, about 0:10 left, 0.1/s, 0:10 passed");
  CHECK(progress_bar(figures, 10) == "[#####.....]");
  figures.total = 1;
  figures.done = 56;
  figures.remaining_seconds.reset();
  CHECK(progress_text(figures) == "56 done, 0.1/s, 0:10 passed");
  CHECK(progress_bar(figures, 10).empty());
}

TEST_CASE("progress shows losses and failures first, and only figures that are not zero") {
  run_figures figures{.done = 1'234'567, .elapsed_seconds = 7205};
  CHECK(progress_text(figures) == "1,234,567 done, 2:00:05 passed");
  CHECK(progress_text({.elapsed_seconds = 12}) == "0 done, 0:12 passed");
  CHECK(progress_text({.done = 5, .elapsed_seconds = 5, .rate = 99.7}) == "5 done, 100/s, 0:05 passed");
  figures = {.done = 7,
             .total = 20,
             .failed = 3,
             .restored = 2,
             .retried = 5,
             .workers_lost = 1,
             .elapsed_seconds = 14,
             .rate = 0.5,
             .busy_share = 0.934,
             .remaining_seconds = 26};
  CHECK(progress_text(figures) ==
        "7 of 20 done, 3 failed, 1 worker lost, 5 retried, about 0:26 left, 0.5/s, 93 % busy, 0:14 passed");
  figures.workers_lost = 2;
  CHECK_THAT(progress_text(figures), support::containing("2 workers lost"));
}

TEST_CASE("a normal line of progress with a bar fits on 80 columns") {
  const run_figures figures{
      .done = 12'345, .total = 100'000, .elapsed_seconds = 754, .rate = 1234, .busy_share = 0.97, .remaining_seconds = 71};
  CHECK(fitted("primes " + progress_bar(figures, 10) + " " + progress_text(figures), 79) ==
        "primes [#.........] 12,345 of 100,000 done, about 1:11 left, 1,234/s, 97 % busy");
  CHECK(fitted("primes 12 done, 3 failed", 15) == "primes 12 done");
  CHECK(fitted("primes 12 done, 3 failed", 24) == "primes 12 done, 3 failed");
  CHECK(fitted("primes 12 done, 3 failed", 9) == "primes 12");
}

TEST_CASE("a rate is the mean since the start, then that of the last span") {
  smoothed_rate rate;
  rate.update(1, 10, 10);
  CHECK(is_near(rate.per_second(), 10));
  rate.update(2, 30, 10);
  CHECK(is_near(rate.per_second(), 15));
  for (int second = 3; second <= 100; ++second) rate.update(second, 30 + 2.0 * (second - 2), 10);
  CHECK(is_near(rate.per_second(), 2));
  rate.update(100, 1000, 10);  // no time has passed
  CHECK(is_near(rate.per_second(), 2));
  rate.update(101, 0, 10);
  CHECK(rate.per_second() < 2);
  CHECK(rate.per_second() > 0);
}

TEST_CASE("restored tasks count as done, but not in the rate") {
  progress shown;
  shown.start("job", [] { return progress::pool_counts{.tasks = 0, .restored = 50, .workers = 1}; });
  shown.expect(100);
  const run_figures figures = shown.figures();
  CHECK(figures.done == 50);
  CHECK(figures.rate == 0);
  CHECK_FALSE(figures.remaining_seconds);
}

TEST_CASE("progress has the figures of the pool and those that the job counts") {
  progress shown;
  shown.start("job", [] { return progress::pool_counts{.tasks = 9, .retries = 2, .workers = 4, .workers_lost = 1}; });
  shown.expect(20);
  CHECK(shown.figures().done == 9);
  CHECK(shown.figures().rate > 0);
  CHECK(shown.figures().remaining_seconds.has_value());
  shown.count_done();
  shown.count_failure();
  shown.count_retries(3);
  const run_figures figures = shown.figures();
  CHECK(figures.done == 1);
  CHECK(figures.total == 20);
  CHECK(figures.failed == 1);
  CHECK(figures.retried == 5);
  CHECK(figures.workers_lost == 1);
}
