// add_done_callback: when callbacks run, in which order, and what they may do.
#include "support/captured_stderr.hpp"
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace support;

namespace {

/// Lines that callbacks record, on any thread.
class notes {
 public:
  void add(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    lines_.push_back(line);
  }
  std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    return lines_;
  }
  bool reach(std::size_t count) const {
    return eventually([&] { return lines().size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

std::string state_of(const rankpool::future<int>& task) {
  if (task.cancelled()) return "cancelled";
  if (!task.done()) return "not done";
  return task.exception() ? "failed" : std::to_string(task.result());
}

/// Completes the task. In an inline cluster, it may wait until its result is needed.
void settle(const rankpool::future<int>& task) { rankpool::wait(std::vector{task}); }

}  // namespace

TEST_CASE("a callback is called with the finished future", "[callback/result]") {
  notes seen;
  rankpool::executor pool(cluster());
  auto task = pool.submit(square, 5);
  task.add_done_callback([&](rankpool::future<int> done) { seen.add(state_of(done)); });
  settle(task);
  REQUIRE(seen.reach(1));
  CHECK(seen.lines().front() == "25");
}

TEST_CASE("a callback is called when the task fails", "[callback/error][fault]") {
  notes seen;
  rankpool::executor pool(cluster());
  auto task = pool.submit(fail, "no");
  task.add_done_callback([&](const rankpool::future<int>& done) { seen.add(state_of(done)); });
  settle(task);
  REQUIRE(seen.reach(1));
  CHECK(seen.lines().front() == "failed");
  check_computes(pool);
}

TEST_CASE("a callback is called when the task is cancelled", "[callback/cancel][fault]") {
  notes seen;
  rankpool::executor pool(cluster());
  gate gate;
  std::vector<rankpool::future<int>> held;
  for (int i = 0; i < 100 * workers(); ++i) held.push_back(pool.submit(pass, gate.path(), i));
  auto task = pool.submit(square, 5);
  task.add_done_callback([&](rankpool::future<int> done) { seen.add(state_of(done)); });
  const bool cancelled = task.cancel();
  if (is_inline() && !cancelled) return;  // inline, the task may already have run
  CHECK(cancelled);
  REQUIRE(seen.reach(1));
  CHECK(task.cancel());
  gate.open();
  held.back().result();
  CHECK(seen.lines() == std::vector<std::string>{"cancelled"});
  check_computes(pool);
}

TEST_CASE("a callback may cancel a task that it has submitted, and that task's callback is called", "[callback/cancel][fault]") {
  notes seen;
  std::atomic<bool> cancelled = false;
  rankpool::executor pool(cluster());
  auto first = pool.submit(square, 2);
  first.add_done_callback([&](rankpool::future<int>) {
    auto task = pool.submit(square, 5);
    task.add_done_callback([&](rankpool::future<int> done) { seen.add(state_of(done)); });
    cancelled = task.cancel();
    seen.add("over");
  });
  settle(first);
  REQUIRE(eventually([&] {
    const auto lines = seen.lines();
    return std::ranges::count(lines, "over") == 1;
  }));
  if (!cancelled) return;  // the task may already have been sent
  CHECK(seen.lines() == std::vector<std::string>{"cancelled", "over"});
  check_computes(pool);
}

TEST_CASE("callbacks are called in the order of their registration") {
  notes seen;
  rankpool::executor pool(cluster());
  gate gate;
  auto task = pool.submit(pass, gate.path(), 1);
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(std::to_string(i));
    task.add_done_callback([&seen, i](rankpool::future<int>) { seen.add(std::to_string(i)); });
  }
  gate.open();
  settle(task);
  REQUIRE(seen.reach(20));
  CHECK(seen.lines() == expected);
}

TEST_CASE("a callback added to a finished future is called at once", "[callback/late]") {
  rankpool::executor pool(cluster());
  auto task = pool.submit(square, 5);
  task.result();
  int seen = 0;
  task.add_done_callback([&](rankpool::future<int> done) { seen = done.result(); });
  CHECK(seen == 25);
}

TEST_CASE("a callback that is added while an earlier one is running comes after it", "[callback/order][ranks]") {
  notes seen;
  rankpool::executor pool(cluster());
  auto task = pool.submit(square, 5);
  std::atomic<bool> added = false;
  task.add_done_callback([&](rankpool::future<int>) {
    seen.add("first begins");
    (void)eventually([&] { return added.load(); });
    seen.add("first ends");
  });
  REQUIRE(seen.reach(1));
  task.add_done_callback([&](rankpool::future<int>) { seen.add("second"); });
  added = true;
  REQUIRE(seen.reach(3));
  CHECK(seen.lines() == std::vector<std::string>{"first begins", "first ends", "second"});
}

TEST_CASE("an exception of a callback is logged, and later callbacks are called", "[callback/throwing][fault]") {
  notes seen;
  rankpool::executor pool(cluster());
  auto task = pool.submit(square, 5);
  std::string said;
  {
    const captured_stderr log;
    task.add_done_callback([&](rankpool::future<int>) {
      seen.add("first");
      throw std::runtime_error("thrown by a callback on purpose");
    });
    task.add_done_callback([&](rankpool::future<int>) {
      seen.add("second");
      throw 42;
    });
    task.add_done_callback([&](rankpool::future<int>) { seen.add("third"); });
    settle(task);
    REQUIRE(seen.reach(3));
    CHECK_NOTHROW(task.add_done_callback([&](rankpool::future<int>) { throw std::runtime_error("late, on purpose"); }));
    task.add_done_callback([&](rankpool::future<int>) { seen.add("fourth"); });
    REQUIRE(seen.reach(4));  // the fourth callback may have to wait until the third has returned
    said = log.text();
  }
  CHECK(seen.lines() == std::vector<std::string>{"first", "second", "third", "fourth"});
  CHECK(std::ranges::count(said, '\n') == 3);
  CHECK_THAT(said, containing("thrown by a callback on purpose") && containing("late, on purpose"));
  CHECK_THAT(said, containing("task " + std::to_string(task.id())));
  CHECK(task.result() == 25);
  check_computes(pool);
}

TEST_CASE("a callback may submit", "[callback/submitting]") {
  notes seen;
  rankpool::executor pool(cluster());
  auto task = pool.submit(add, 1, 1);
  task.add_done_callback([&](rankpool::future<int> first) {
    auto next = pool.submit(add, first.result(), 10);
    next.add_done_callback([&](rankpool::future<int> second) { seen.add(state_of(second)); });
    if (is_inline()) settle(next);
  });
  settle(task);
  REQUIRE(seen.reach(1));
  CHECK(seen.lines().front() == "12");
}

TEST_CASE("a callback may submit and wait for the result", "[callback/submitting]") {
  notes seen;
  rankpool::executor pool(cluster());
  auto task = pool.submit(add, 1, 1);
  task.add_done_callback(
      [&](rankpool::future<int> first) { seen.add(std::to_string(pool.submit(add, first.result(), 5).result())); });
  settle(task);
  REQUIRE(seen.reach(1));
  CHECK(seen.lines().front() == "7");
  check_computes(pool);
}

TEST_CASE("a callback may wait for several futures, and map") {
  notes seen;
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> others;
  for (int i = 0; i < 5; ++i) others.push_back(pool.submit(square, i));
  auto task = pool.submit(add, 1, 1);
  task.add_done_callback([&](rankpool::future<int>) {
    seen.add(std::to_string(rankpool::wait(others).done.size()));
    seen.add(std::to_string(collect(pool.map(square, numbers(30))).back()));
  });
  settle(task);
  REQUIRE(seen.reach(2));
  CHECK(seen.lines() == std::vector<std::string>{"5", "841"});
}

TEST_CASE("callbacks that each submit the next task run without a waiting thread", "[ranks]") {
  std::atomic<int> last = 0;
  rankpool::executor pool(cluster());
  struct chain {
    rankpool::executor& pool;
    std::atomic<int>& last;
    void operator()(const rankpool::future<int>& done) const {
      last = done.result();
      if (last < 1000) pool.submit(add, last.load(), 1).add_done_callback(*this);
    }
  };
  pool.submit(identity, 0).add_done_callback(chain{pool, last});
  CHECK(eventually([&] { return last == 1000; }));
  check_computes(pool);
}

TEST_CASE("a callback may cancel another future", "[fault]") {
  rankpool::executor pool(cluster());
  notes seen;
  std::vector<rankpool::future<int>> others;
  for (int i = 0; i < 50; ++i) others.push_back(pool.submit(take, 100us, i));
  auto first = others.front();
  first.add_done_callback([&](rankpool::future<int>) { seen.add(others.back().cancel() ? "cancelled" : "not"); });
  rankpool::wait(others);
  REQUIRE(seen.reach(1));
  CHECK(others.back().cancelled() == (seen.lines().front() == "cancelled"));
  check_computes(pool);
}

TEST_CASE("callbacks of many futures are each called once") {
  rankpool::executor pool(cluster());
  std::atomic<int> called = 0;
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 1000; ++i) {
    tasks.push_back(pool.submit(square, i));
    tasks.back().add_done_callback([&](rankpool::future<int>) { ++called; });
  }
  rankpool::wait(tasks);
  CHECK(eventually([&] { return called >= 1000; }));
  check_computes(pool);
  CHECK(called == 1000);
}

TEST_CASE("a callback may shut the executor down, with and without waiting", "[fault][callback/closing]") {
  for (const bool wait : {false, true}) {
    std::optional<rankpool::executor> pool(cluster());
    notes seen;
    std::vector<rankpool::future<int>> tasks;
    for (int i = 0; i < 20; ++i) tasks.push_back(pool->submit(square, i));
    tasks.front().add_done_callback([&](rankpool::future<int>) {
      pool->shutdown({.wait = wait});
      seen.add("shut down");
    });
    for (int i = 0; i < 20; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == i * i);
    REQUIRE(seen.reach(1));
    CHECK(pool->num_workers() == 0);
    CHECK_THROWS_AS(pool->submit(square, 1), rankpool::pool_closed);
    pool.reset();
    check_cluster_computes();
  }
}

TEST_CASE("a callback may destroy the executor of its task", "[fault][callback/closing]") {
  notes seen;
  auto pool = std::make_shared<rankpool::executor>(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(pool->submit(square, i));
  tasks.front().add_done_callback([&seen, last = std::move(pool)](rankpool::future<int>) mutable {
    last.reset();
    seen.add("destroyed");
  });
  for (int i = 0; i < 20; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == i * i);
  REQUIRE(seen.reach(1));
  check_cluster_computes();
}

TEST_CASE("callbacks are called although no thread waits for a result", "[callback/unwaited]") {
  rankpool::executor pool(cluster());
  std::mutex mutex;
  std::condition_variable all_called;
  int left = 10;
  for (int i = 0; i < 10; ++i) {
    pool.submit(square, i).add_done_callback([&](rankpool::future<int>) {
      const std::scoped_lock lock(mutex);
      if (--left == 0) all_called.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  CHECK(all_called.wait_for(lock, 20s, [&] { return left == 0; }));
}
