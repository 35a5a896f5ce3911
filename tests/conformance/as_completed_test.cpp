// as_completed: futures in the order of completion, each once, within a timeout.
#include "support/gate.hpp"
#include "support/tasks.hpp"
#include "support/tracked.hpp"

#include <algorithm>
#include <ranges>
#include <set>
#include <string>
#include <vector>

using namespace support;

namespace {

using futures = std::vector<rankpool::future<int>>;

tracked track(int n) { return tracked(n); }

static_assert(std::ranges::input_range<decltype(rankpool::as_completed(std::declval<futures&>()))>);

}  // namespace

TEST_CASE("as_completed of no futures is empty") {
  int count = 0;
  for (auto&& task : rankpool::as_completed(futures{})) count += task.done();
  CHECK(count == 0);
}

TEST_CASE("as_completed yields every future once, done") {
  rankpool::executor pool(cluster());
  futures tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back(pool.submit(take, std::chrono::microseconds(37 * i % 400), i));
  std::multiset<int> seen;
  bool all_done = true;
  for (auto&& task : rankpool::as_completed(tasks)) {
    all_done = all_done && task.done();
    seen.insert(task.result());
  }
  CHECK(all_done);
  CHECK(std::ranges::equal(seen, numbers(50)));
}

TEST_CASE("as_completed yields done futures first, then waits", "[completed/finished-first]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto finished = pool.submit(square, 3);
  finished.result();
  const futures tasks{pool.submit(pass, gate.path(), 1), finished};
  if (is_inline() && tasks[0].done()) return;  // inline, the task may already have run
  std::vector<int> seen;
  for (auto&& task : rankpool::as_completed(tasks)) {
    seen.push_back(task.result());
    gate.open();
  }
  CHECK(seen == std::vector{9, 1});
}

TEST_CASE("as_completed yields failed and cancelled futures as well", "[fault]") {
  rankpool::executor pool(cluster());
  futures tasks{pool.submit(square, 1), pool.submit(fail, "no")};
  for (int i = 0; i < 100; ++i) tasks.push_back(pool.submit(square, i));
  tasks.back().cancel();
  std::size_t count = 0;
  int failed = 0;
  for (auto&& task : rankpool::as_completed(tasks)) {
    ++count;
    failed += !task.cancelled() && task.exception() != nullptr;
  }
  CHECK(count == tasks.size());
  CHECK(failed == 1);
  check_computes(pool);
}

TEST_CASE("as_completed counts a future once, however often it is given", "[wait/duplicates]") {
  rankpool::executor pool(cluster());
  auto one = pool.submit(square, 1);
  auto two = pool.submit(square, 2);
  std::multiset<int> seen;
  for (auto&& task : rankpool::as_completed(futures{one, two, one, two, two})) seen.insert(task.result());
  CHECK(seen == std::multiset<int>{1, 4});
}

TEST_CASE("as_completed throws on timeout and says how many futures are left", "[completed/timeout][completed/message][fault]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto one = pool.submit(square, 1);
  auto two = pool.submit(square, 2);
  rankpool::wait(futures{one, two});
  // Inline, the gate is open, and tasks run while as_completed waits for them.
  const futures tasks{pool.submit(pass, gate.path(), 1), one, pool.submit(pass, gate.path(), 2), two};
  if (is_inline() && tasks[2].done()) return;  // inline, the task may already have run
  std::vector timeouts{0ms};
  if (!is_inline()) timeouts.push_back(20ms);
  for (const auto timeout : timeouts) {
    std::multiset<int> seen;
    std::string message;
    try {
      for (auto&& task : rankpool::as_completed(tasks, timeout)) seen.insert(task.result());
    } catch (const rankpool::timeout_error& error) {
      message = error.what();
    }
    CHECK(seen == std::multiset<int>{1, 4});
    CHECK(message == "2 (of 4) futures unfinished");
  }
  gate.open();
  check_computes(pool);
}

TEST_CASE("as_completed keeps its timeout while many tasks start and end", "[completed/timeout][fault]") {
  rankpool::executor pool(cluster());
  futures tasks;
  for (int i = 0; i < 1000 * workers(); ++i) tasks.push_back(pool.submit(take, 2ms, i));
  const auto start = std::chrono::steady_clock::now();
  std::size_t seen = 0;
  CHECK_THROWS_AS(
      [&] {
        for (auto&& task : rankpool::as_completed(tasks, 50ms)) seen += task.done();
      }(),
      rankpool::timeout_error);
  CHECK(std::chrono::steady_clock::now() - start < 1500ms);
  CHECK(seen < tasks.size());
  for (auto& task : tasks) task.cancel();
  check_computes(pool);
}

TEST_CASE("as_completed does not throw before its timeout") {
  rankpool::executor pool(cluster());
  futures tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(pool.submit(square, i));
  int count = 0;
  for (auto&& task : rankpool::as_completed(tasks, 60s)) count += task.done();
  CHECK(count == 20);
}

TEST_CASE("the loop over as_completed may submit more tasks") {
  rankpool::executor pool(cluster());
  futures tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(pool.submit(identity, i));
  futures more;
  for (auto&& task : rankpool::as_completed(tasks)) more.push_back(pool.submit(square, task.result()));
  std::multiset<int> seen;
  for (auto&& task : rankpool::as_completed(more)) seen.insert(task.result());
  CHECK(std::ranges::equal(seen, squares(10)));
}

TEST_CASE("as_completed yields futures by value where the loop asks for them") {
  rankpool::executor pool(cluster());
  const futures tasks{pool.submit(square, 6)};
  for (rankpool::future<int> task : rankpool::as_completed(tasks)) CHECK(task.result() == 36);
}

TEST_CASE("as_completed keeps no reference to a future that it has yielded", "[completed/freed]") {
  const int before = tracked::alive();
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<tracked>> tasks;
  for (int i = 0; i < 30; ++i) tasks.push_back(pool.submit(track, i));
  auto completed = rankpool::as_completed(std::move(tasks));
  tasks.clear();
  int sum = 0;
  for (const auto& task : completed) {
    // The thread that completed the previous future may still hold it for a moment.
    CHECK(eventually([&] { return tracked::alive() - before <= 1; }));
    sum += task.result().value();
  }
  CHECK(sum == 435);
}
