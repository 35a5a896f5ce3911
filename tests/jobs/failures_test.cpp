// Tests what the engine does with failed tasks, and with tasks that did not run because of --max-failures.
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "engine/check_queue.hpp"
#include "jobs/test_run.hpp"
#include "support/catch.hpp"

namespace {

int same(int n) { return n; }

/// Results as those of a map: the second task was cancelled, and further input was refused.
class cut_off_results {
 public:
  struct iterator {
    cut_off_results* all;
    std::size_t at;
    int& operator*() const {
      if (at == 1) throw rankpool::cancelled_error();
      if (at == 3) throw rankpool::pool_closed("shut down");
      return all->values_.at(at);
    }
    iterator& operator++() {
      ++at;
      return *this;
    }
    bool operator==(const iterator&) const = default;
  };
  iterator begin() { return {this, 0}; }
  iterator end() { return {this, 4}; }

 private:
  std::array<int, 4> values_{10, 11, 12, 13};
};

void take_cut_off_results(jobs::job_run& run, std::vector<int>& taken) {
  run.take_each(
      cut_off_results(), [&](std::size_t, int value) { taken.push_back(value); },
      [](std::size_t) { return std::string("a task"); });
}

}  // namespace

TEST_CASE("results behind a task that did not run are taken, and the run is cut off") {
  support::test_run run(support::limited_to(1));
  run.failures().count();
  std::vector<int> taken;
  take_cut_off_results(run, taken);
  CHECK(taken == std::vector{10, 12});
  CHECK(run.is_cut_off());
  CHECK_FALSE(run.may_start_more());
}

TEST_CASE("a cancelled task ends the run before the limit") {
  support::test_run run(support::limited_to(2));
  run.failures().count();
  std::vector<int> taken;
  CHECK_THROWS_AS(take_cut_off_results(run, taken), rankpool::cancelled_error);
  CHECK(taken == std::vector{10});
  CHECK_FALSE(run.is_cut_off());
  CHECK(run.may_start_more());
}

TEST_CASE("after the limit, results are counted as unchecked") {
  support::test_run run(support::limited_to(1, true));
  int sum = 0;
  jobs::check_queue<int> checks(run, [&](int n) { sum += n; });
  checks.add(same, 1);
  checks.add(same, 2);
  const jobs::checked_results before = checks.finish("number");
  CHECK(before.are_all_verified());
  CHECK(before.verified == 2);
  run.failures().count();
  checks.add(same, 4);
  CHECK(checks.finish("number").text() == "2 of 4 numbers, 1 failed");
  CHECK(sum == 3);
}
