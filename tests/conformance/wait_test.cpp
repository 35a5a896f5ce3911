// wait: for the first future, the first exception or all; a timeout does not throw.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <array>
#include <list>
#include <string>
#include <vector>

using namespace support;
using rankpool::return_when;

namespace {

using futures = std::vector<rankpool::future<int>>;

/// Returns the ids of futures, so that lists of futures can be compared.
std::vector<std::uint64_t> ids(const futures& tasks) {
  std::vector<std::uint64_t> result;
  for (const auto& task : tasks) result.push_back(task.id());
  return result;
}

}  // namespace

TEST_CASE("wait for all of no futures returns at once") {
  const auto [done, not_done] = rankpool::wait(futures{});
  CHECK(done.empty());
  CHECK(not_done.empty());
}

TEST_CASE("wait for all returns all, in the order given") {
  rankpool::executor pool(cluster());
  futures tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(pool.submit(take, 200us * (10 - i), i));
  const auto [done, not_done] = rankpool::wait(tasks);
  CHECK(ids(done) == ids(tasks));
  CHECK(not_done.empty());
  for (const auto& task : tasks) CHECK(task.done());
}

TEST_CASE("wait for all counts failed and cancelled futures as done", "[wait/all][fault]") {
  rankpool::executor pool(cluster());
  futures tasks{pool.submit(square, 1), pool.submit(fail, "no"), pool.submit(square, 2)};
  for (int i = 0; i < 100; ++i) tasks.push_back(pool.submit(square, i));
  tasks.back().cancel();
  const auto [done, not_done] = rankpool::wait(tasks, return_when::all_completed);
  CHECK(done.size() == tasks.size());
  CHECK(not_done.empty());
  check_computes(pool);
}

TEST_CASE("wait for the first returns when one is done", "[wait/first]") {
  rankpool::executor pool(cluster());
  gate gate;
  const futures tasks{pool.submit(square, 3), pool.submit(pass, gate.path(), 1), pool.submit(pass, gate.path(), 2)};
  const auto [done, not_done] = rankpool::wait(tasks, return_when::first_completed);
  CHECK(ids(done).front() == tasks[0].id());
  CHECK(done.size() + not_done.size() == 3);
  if (!is_inline()) CHECK(ids(not_done) == ids({tasks[1], tasks[2]}));
}

TEST_CASE("wait for the first returns at once if one was done before", "[wait/first-at-once]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto finished = pool.submit(square, 3);
  finished.result();
  const futures tasks{pool.submit(pass, gate.path(), 1), finished};
  const bool both = tasks[0].done();  // possible inline
  const auto [done, not_done] = rankpool::wait(tasks, return_when::first_completed);
  CHECK(ids(done) == (both ? ids(tasks) : ids({finished})));
  CHECK(ids(not_done) == (both ? ids({}) : ids({tasks[0]})));
}

TEST_CASE("wait for the first failure returns when one has failed", "[wait/failure][fault]") {
  rankpool::executor pool(cluster());
  gate gate;
  const futures tasks{pool.submit(square, 3), pool.submit(fail, "first failure"), pool.submit(pass, gate.path(), 1)};
  const auto [done, not_done] = rankpool::wait(tasks, return_when::first_exception);
  CHECK(std::ranges::count(ids(done), tasks[1].id()) == 1);
  CHECK(done.size() + not_done.size() == 3);
  if (!is_inline()) CHECK(std::ranges::count(ids(not_done), tasks[2].id()) == 1);
  gate.open();
  check_computes(pool);
}

TEST_CASE("wait for the first failure returns at once if one had failed before", "[wait/failure-at-once][fault]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto failed = pool.submit(fail, "before");
  CHECK(failed.exception() != nullptr);
  const futures tasks{pool.submit(pass, gate.path(), 1), failed};
  const bool both = tasks[0].done();  // possible inline
  const auto [done, not_done] = rankpool::wait(tasks, return_when::first_exception);
  CHECK(ids(done) == (both ? ids(tasks) : ids({failed})));
  CHECK(ids(not_done) == (both ? ids({}) : ids({tasks[0]})));
  gate.open();
  check_computes(pool);
}

TEST_CASE("wait for the first failure does not stop at a cancelled future", "[wait/failure-or-cancelled][fault]") {
  rankpool::executor pool(cluster());
  gate gate;
  futures held;
  for (int i = 0; i < 100 * workers(); ++i) held.push_back(pool.submit(pass, gate.path(), i));
  auto cancelled = pool.submit(square, 1);
  const bool cancels = cancelled.cancel();
  if (is_inline() && !cancels) return;  // inline, the task may already have run
  REQUIRE(cancels);
  const futures tasks{held.front(), cancelled};
  if (!is_inline()) {
    const auto result = rankpool::wait(tasks, return_when::first_exception, 20ms);
    CHECK(ids(result.done) == ids({cancelled}));
    CHECK(ids(result.not_done) == ids({held.front()}));
  }
  gate.open();
  const auto result = rankpool::wait(tasks, return_when::first_exception);
  CHECK(ids(result.done) == ids(tasks));
  CHECK(result.not_done.empty());
  check_computes(pool);
}

TEST_CASE("wait for the first failure waits for all if none fails") {
  rankpool::executor pool(cluster());
  futures tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(pool.submit(square, i));
  const auto [done, not_done] = rankpool::wait(tasks, return_when::first_exception);
  CHECK(done.size() == 10);
  CHECK(not_done.empty());
}

TEST_CASE("wait returns the done futures on timeout, and does not throw", "[wait/timeout][fault]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto finished = pool.submit(square, 3);
  finished.result();
  const futures tasks{pool.submit(pass, gate.path(), 1), finished, pool.submit(pass, gate.path(), 2)};
  for (const auto timeout : {std::chrono::milliseconds(0), std::chrono::milliseconds(20)}) {
    const auto [done, not_done] = rankpool::wait(tasks, return_when::all_completed, timeout);
    CHECK(std::ranges::count(ids(done), finished.id()) == 1);
    CHECK(done.size() + not_done.size() == 3);
    if (!is_inline()) CHECK(ids(not_done) == ids({tasks[0], tasks[2]}));
  }
  gate.open();
  CHECK(rankpool::wait(tasks, return_when::all_completed, 20s).done.size() == 3);
  check_computes(pool);
}

TEST_CASE("wait keeps its timeout while many tasks start and end", "[wait/timeout][fault]") {
  rankpool::executor pool(cluster());
  futures tasks;
  for (int i = 0; i < 1000 * workers(); ++i) tasks.push_back(pool.submit(take, 2ms, i));
  const auto start = std::chrono::steady_clock::now();
  const auto [done, not_done] = rankpool::wait(tasks, return_when::all_completed, 50ms);
  CHECK_THROWS_AS(tasks.back().result(50ms), rankpool::timeout_error);
  CHECK(std::chrono::steady_clock::now() - start < 1500ms);
  CHECK_FALSE(not_done.empty());
  for (auto& task : tasks) task.cancel();
  check_computes(pool);
}

TEST_CASE("wait counts a future once, however often it is given", "[wait/duplicates]") {
  rankpool::executor pool(cluster());
  auto one = pool.submit(square, 1);
  auto two = pool.submit(square, 2);
  const futures tasks{one, two, one, one, two};
  const auto [done, not_done] = rankpool::wait(tasks);
  CHECK(ids(done) == ids({one, two}));
  CHECK(not_done.empty());
}

TEST_CASE("wait misses none of a hundred futures that are released at once", "[wait/burst]") {
  rankpool::executor pool(cluster());
  gate gate;
  futures tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(pool.submit(pass, gate.path(), i));
  const std::jthread opener([&] {
    std::this_thread::sleep_for(10ms);
    gate.open();
  });
  const auto [done, not_done] = rankpool::wait(tasks, return_when::all_completed, 20s);
  CHECK(done.size() == 100);
  CHECK(not_done.empty());
}

TEST_CASE("wait and as_completed take any range of futures") {
  rankpool::executor pool(cluster());
  const std::array tasks{pool.submit(square, 1), pool.submit(square, 2)};
  CHECK(rankpool::wait(tasks).done.size() == 2);
  const std::list<rankpool::future<int>> listed(tasks.begin(), tasks.end());
  CHECK(rankpool::wait(listed).done.size() == 2);
  int sum = 0;
  for (auto&& task : rankpool::as_completed(listed)) sum += task.result();
  CHECK(sum == 5);
}

TEST_CASE("wait takes futures of several executors, and of tasks that return nothing") {
  rankpool::executor first(cluster());
  rankpool::executor second(cluster());
  const futures tasks{first.submit(square, 1), second.submit(square, 2)};
  CHECK(rankpool::wait(tasks).done.size() == 2);
  const std::vector<rankpool::future<void>> empty{first.submit(nothing), second.submit(nothing)};
  CHECK(rankpool::wait(empty).done.size() == 2);
}
