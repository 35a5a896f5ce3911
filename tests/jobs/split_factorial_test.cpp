// Tests factorials on a pool: figures and digits do not depend on the pool or on the number of shares.
#include "factorial/split_factorial.hpp"

#include <gmpxx.h>

#include <string>

#include "factorial/decimal.hpp"
#include "factorial/shares.hpp"
#include "support/catch.hpp"
#include "support/cluster.hpp"

TEST_CASE("many factorials are reported in the requested order, split or not") {
  rankpool::executor pool(support::cluster());
  const std::vector<std::uint64_t> numbers{3, 60'000, 0, 40'000, 60'000, 1};
  std::vector<std::string> lines;
  std::size_t steps = 0, all_steps = 0;
  jobs::report_factorials(pool, numbers,
                          {.workers = pool.num_workers(),
                           .verify = true,
                           .on_report = [&](const jobs::factorial_report& report) { lines.push_back(jobs::line_for(report)); },
                           .on_progress =
                               [&](std::size_t done, std::size_t all) {
                                 CHECK(done == steps + 1);
                                 steps = done;
                                 all_steps = all;
                               }});
  CHECK(steps == all_steps);
  std::vector<std::string> expected;
  for (const std::uint64_t n : numbers) expected.push_back(jobs::line_for(jobs::report_on(n, jobs::factorial(n), 0)));
  CHECK(lines == expected);
}

TEST_CASE("one factorial over all workers has GMP's digits") {
  rankpool::executor pool(support::cluster());
  for (const unsigned long n : {0, 1, 20, 1'000, 50'000}) {
    mpz_class value;
    mpz_fac_ui(value.get_mpz_t(), n);
    std::string text;
    jobs::write_decimal(
        jobs::factorial_digits(pool, n, {.workers = pool.num_workers(), .verify = true, .on_report = {}, .on_progress = {}}),
        [&](std::string_view piece) { text += piece; });
    CHECK(text == value.get_str());
  }
}

TEST_CASE("without numbers there are no reports") {
  rankpool::executor pool(support::cluster());
  jobs::report_factorials(pool, {},
                          {.workers = pool.num_workers(),
                           .verify = true,
                           .on_report = [](const jobs::factorial_report&) { FAIL("a report"); },
                           .on_progress = {}});
}
