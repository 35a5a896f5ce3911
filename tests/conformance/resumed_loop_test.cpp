// A loop over results that is left and started again: it continues with the next result and repeats none.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <ranges>
#include <string>
#include <utility>

using namespace support;

namespace {

std::string named_value(int n) { return "a name that no small buffer holds, of number " + std::to_string(n); }

}  // namespace

TEST_CASE("a second loop over a map continues after the first", "[map/resumed]") {
  rankpool::executor pool(cluster());
  auto results = pool.map(named_value, std::views::iota(0, 5));
  for (std::string name : results) {
    CHECK(name == named_value(0));
    break;
  }
  int next = 1;
  for (std::string name : results) CHECK(name == named_value(next++));
  CHECK(next == 5);
  CHECK(results.begin() == results.end());
}

TEST_CASE("a second loop over a map continues after the error that ended the first", "[map/resumed]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.chunksize = 4}, square_unless_fifth, std::views::iota(1, 13));
  std::vector<int> squares;
  int errors = 0;
  for (bool more = true; more && errors < 10;) {
    try {
      for (const int n : results) squares.push_back(n);
      more = false;
    } catch (const std::invalid_argument&) {
      ++errors;
    }
  }
  CHECK(errors == 2);
  CHECK(squares == std::vector{1, 4, 9, 16, 36, 49, 64, 81, 121, 144});
}

TEST_CASE("a second loop over a map that has timed out is empty", "[ranks][map/resumed]") {
  rankpool::executor pool(cluster());
  const gate held;
  auto results = pool.map({.timeout = 10ms}, pass, std::vector(3, held.path()), numbers(3));
  CHECK_THROWS_AS(*results.begin(), rankpool::timeout_error);
  CHECK(results.begin() == results.end());
}

TEST_CASE("a second loop over as_completed continues with the next future", "[completed/resumed]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int n = 0; n < 5; ++n) tasks.push_back(pool.submit(square, n));
  auto completed = rankpool::as_completed(tasks);
  int sum = 0;
  for (auto&& task : completed) {
    sum += std::move(task).result();
    break;
  }
  int rest = 0;
  for (auto&& task : completed) {
    sum += std::move(task).result();
    ++rest;
  }
  CHECK(rest == 4);
  CHECK(sum == 30);
}
