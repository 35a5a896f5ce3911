// Failures of map: exceptions at the place of their item, timeouts, and results that are destroyed before they are read.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace support;

namespace {

int throw_timeout_at_two(int n) {
  if (n == 2) throw rankpool::timeout_error("the task's own");
  return n;
}

/// Items below `limit` return at once. The others wait for the gate and leave a mark with their number.
int pass_from(int limit, const std::string& gate_path, const std::string& marks, int n) {
  if (n < limit) return n;
  pass(gate_path, n);
  leave_mark(marks + "/" + std::to_string(n));
  return n;
}

/// Sleeps for two milliseconds, and leaves a mark with the item's number.
int doze_and_mark(const std::string& marks, int n) {
  std::this_thread::sleep_for(2ms);
  leave_mark(marks + "/" + std::to_string(n));
  return n;
}

}  // namespace

TEST_CASE("an exception is thrown at the place of its item, after the results before it", "[map/error][fault]") {
  rankpool::executor pool(cluster());
  for (const int chunksize : {0, 1, 2, 3, 7, 100}) {
    CAPTURE(chunksize);
    auto results = pool.map({.chunksize = chunksize}, square_unless_fifth, std::views::iota(1, 20));
    std::vector<int> seen;
    CHECK_THROWS_AS(
        [&] {
          for (const int n : results) seen.push_back(n);
        }(),
        std::invalid_argument);
    CHECK(seen == std::vector{1, 4, 9, 16});
  }
  check_computes(pool);
}

TEST_CASE("the items after an exception still arrive, inside a chunk too", "[map/after-error][fault]") {
  rankpool::executor pool(cluster());
  const std::vector<std::string> expected{"error: no multiple of 5: 0", "1", "4", "9", "16", "error: no multiple of 5: 5", "36"};
  for (const int chunksize : {0, 1, 2, 3, 7, 100}) {
    for (const int buffersize : {0, 1, 3}) {
      CAPTURE(chunksize, buffersize);
      const rankpool::map_options options{.chunksize = chunksize, .buffersize = buffersize};
      CHECK(readings(pool.map(options, square_unless_fifth, numbers(7))) == expected);
    }
  }
  check_computes(pool);
}

TEST_CASE("each failed item has the context of its own task", "[error/context][fault]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.chunksize = 5}, square_unless_fifth, numbers(11));
  int failed = 0;
  for (auto item = results.begin(); item != results.end(); ++item) {
    try {
      static_cast<void>(*item);
    } catch (const std::invalid_argument& error) {
      ++failed;
      CHECK(rankpool::remote_context(error) != nullptr);
    }
  }
  CHECK(failed == 3);
  check_computes(pool);
}

TEST_CASE("a map whose items all fail yields only errors", "[map/after-error][fault]") {
  rankpool::executor pool(cluster());
  const std::vector<std::string> messages{"a", "b", "c"};
  CHECK(readings(pool.map(fail, messages)) == std::vector<std::string>{"error: a", "error: b", "error: c"});
  check_computes(pool);
}

TEST_CASE("a timeout_error thrown by a task is not the timeout of the map", "[map/foreign-timeout][fault]") {
  rankpool::executor pool(cluster());
  const std::vector<std::string> expected{"0", "1", "error: the task's own", "3", "4"};
  CHECK(readings(pool.map(throw_timeout_at_two, numbers(5))) == expected);
  CHECK(readings(pool.map({.chunksize = 5, .timeout = 60s}, throw_timeout_at_two, numbers(5))) == expected);
  check_computes(pool);
}

TEST_CASE("a timeout that is not reached has no effect", "[map/timeout-ample]") {
  rankpool::executor pool(cluster());
  CHECK(collect(pool.map({.timeout = 60s}, square, numbers(50))) == squares(50));
  CHECK(collect(pool.map({.chunksize = 3, .buffersize = 7, .timeout = 60s}, square, numbers(50))) == squares(50));
}

TEST_CASE("after its timeout, a map yields the results that are ready, the error, and then the end",
          "[map/timeout][map/timeout-cancels][fault][ranks]") {
  const scratch_directory marks;
  {
    rankpool::executor pool(cluster());
    gate gate;
    const auto f = rankpool::partial(pass_from, 4, gate.path(), marks.path().string());
    auto results = pool.map({.chunksize = 1, .timeout = 300ms}, f, numbers(20'000));
    auto item = results.begin();
    for (int n = 0; n < 4; ++n, ++item) CHECK(*item == n);
    CHECK_THROWS_AS(*item, rankpool::timeout_error);
    ++item;
    CHECK(item == results.end());
    gate.open();
    check_computes(pool);
  }
  // Items that had not started were cancelled and never ran.
  CHECK(marks.files() < 19'000);
}

TEST_CASE("after its timeout, a map yields its first results, the error, and nothing more",
          "[map/timeout][map/timeout-cancels][map/timeout-zero][map/unordered-timeout][fault]") {
  const int count = 1000 * workers();
  for (const auto timeout : {0ms, 50ms}) {
    for (const bool ordered : {true, false}) {
      CAPTURE(timeout.count(), ordered);
      const scratch_directory marks;
      {
        rankpool::executor pool(cluster());
        const auto f = rankpool::partial(doze_and_mark, marks.path().string());
        auto results = pool.map({.chunksize = 1, .timeout = timeout, .ordered = ordered}, f, numbers(count));
        std::vector<int> seen;
        int errors = 0;
        for (auto item = results.begin(); item != results.end(); ++item) {
          try {
            seen.push_back(*item);
            CHECK(errors == 0);
          } catch (const rankpool::timeout_error&) {
            ++errors;
          }
        }
        CHECK(errors == 1);
        if (!ordered) std::ranges::sort(seen);
        CHECK((ordered ? seen == numbers(static_cast<int>(seen.size())) : std::ranges::adjacent_find(seen) == seen.end()));
        check_computes(pool);
      }
      // Items that had not started were cancelled and never ran.
      CHECK(marks.files() < count / 2);
    }
  }
}

TEST_CASE("a timeout of zero ends the map at once", "[map/timeout-zero][fault][ranks]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto results = pool.map({.timeout = 0s}, pass, std::vector<std::string>(10, gate.path()), numbers(10));
  auto item = results.begin();
  CHECK_THROWS_AS(*item, rankpool::timeout_error);
  ++item;
  CHECK(item == results.end());
  gate.open();
  check_computes(pool);
}

TEST_CASE("the timeout counts from the call, however late the results are read", "[map/timeout][fault][ranks]") {
  rankpool::executor pool(cluster());
  gate gate;
  const auto f = rankpool::partial(pass_from, 3, gate.path(), std::string("/nowhere"));
  auto results = pool.map({.chunksize = 1, .timeout = 100ms}, f, numbers(6));
  std::this_thread::sleep_for(200ms);
  auto item = results.begin();
  for (int n = 0; n < 3; ++n, ++item) CHECK(*item == n);
  const auto start = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(*item, rankpool::timeout_error);
  CHECK(std::chrono::steady_clock::now() - start < 90ms);
  gate.open();
  check_computes(pool);
}

TEST_CASE("the timeout also ends unordered results", "[map/unordered-timeout][fault][ranks]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto results =
      pool.map({.chunksize = 1, .timeout = 50ms, .ordered = false}, pass, std::vector<std::string>(10, gate.path()), numbers(10));
  auto item = results.begin();
  CHECK_THROWS_AS(*item, rankpool::timeout_error);
  ++item;
  CHECK(item == results.end());
  gate.open();
  check_computes(pool);
}

TEST_CASE("destroying the results cancels items that have not started", "[fault][ranks]") {
  const scratch_directory marks;
  {
    rankpool::executor pool(cluster());
    gate gate;
    const auto f = rankpool::partial(pass_from, 0, gate.path(), marks.path().string());
    { auto dropped = pool.map({.chunksize = 1}, f, numbers(2000)); }
    gate.open();
    check_computes(pool);
  }
  CHECK(marks.files() < 19'000);
}

TEST_CASE("destroying half-read results leaves the pool usable", "[fault]") {
  rankpool::executor pool(cluster());
  for (int round = 0; round < 20; ++round) {
    int seen = 0;
    for (const int n : pool.map({.chunksize = 1 + round % 4, .ordered = round % 2 == 0}, square, numbers(100))) {
      static_cast<void>(n);
      if (++seen == round) break;
    }
  }
  check_computes(pool);
}
