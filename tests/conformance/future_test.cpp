// future: its states, its results in each state, cancellation, and waking of waiting threads.
#include "support/box.hpp"
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <atomic>
#include <chrono>
#include <concepts>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace support;

namespace {

std::vector<int> many(int count) { return numbers(count); }

std::unique_ptr<box> in_box(int n) { return std::make_unique<box>(box{n}); }

template <class Future>
std::string printed(const Future& future) {
  std::ostringstream text;
  text << future;
  return text.str();
}

/// A pool whose workers are all blocked. Its queue is so long that further tasks stay on rank 0.
class busy_pool {
 public:
  busy_pool() : pool(cluster()) {
    for (int i = 0; i < workers(); ++i) held.push_back(pool.submit(pass, gate_.path(), i));
    for (int i = 0; i < 1500 * workers(); ++i) queued.push_back(pool.submit(square, i));
  }
  void release() { gate_.open(); }

  rankpool::executor pool;
  std::vector<rankpool::future<int>> held;
  std::vector<rankpool::future<int>> queued;

 private:
  gate gate_;  // declared last, so that it opens before the pool waits for its tasks
};

}  // namespace

static_assert(std::copyable<rankpool::future<int>>);
static_assert(std::copyable<rankpool::future<std::unique_ptr<box>>>);
static_assert(std::copyable<rankpool::future<void>>);

TEST_CASE("result may be called repeatedly, through every copy of the future") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(many, 5);
  const auto copy = task;
  CHECK(task.result() == numbers(5));
  CHECK(copy.result() == numbers(5));
  CHECK(&task.result() == &copy.result());
  CHECK(copy.id() == task.id());
}

TEST_CASE("result of a temporary future moves the value out") {
  rankpool::executor pool(cluster());
  std::vector<int> values = pool.submit(many, 3).result();
  CHECK(values == numbers(3));
  auto task = pool.submit(in_box, 5);
  std::unique_ptr<box> mine = std::move(task).result();
  REQUIRE(mine != nullptr);
  CHECK(mine->value == 5);
}

TEST_CASE("a move-only result can be read in place") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(in_box, 6);
  CHECK(task.result()->value == 6);
  CHECK(task.result()->value == 6);
}

TEST_CASE("a finished future is done, not running, not cancelled", "[future/finished][future/no-time]") {
  rankpool::executor pool(cluster());
  auto task = pool.submit(square, 3);
  CHECK(task.result(20s) == 9);
  CHECK(task.done());
  CHECK_FALSE(task.running());
  CHECK_FALSE(task.cancelled());
  CHECK_FALSE(task.cancel());
  CHECK(task.result(0s) == 9);
  CHECK(task.exception() == nullptr);
  CHECK(task.exception(0s) == nullptr);
}

TEST_CASE("a failed future is done, and both result and exception give its exception", "[future/failed][future/no-time][fault]") {
  rankpool::executor pool(cluster());
  auto task = pool.submit(fail, "as planned");
  CHECK_THROWS_AS(task.result(), std::runtime_error);
  CHECK_THROWS_WITH(task.result(0s), containing("as planned"));
  CHECK(task.done());
  CHECK_FALSE(task.running());
  CHECK_FALSE(task.cancelled());
  CHECK_FALSE(task.cancel());
  REQUIRE(task.exception(0s) != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(task.exception()), std::runtime_error);
  check_computes(pool);
}

TEST_CASE("a running future cannot be cancelled", "[future/running][future/no-time][ranks]") {
  rankpool::executor pool(cluster());
  gate gate;
  const scratch_directory scratch;
  auto task = pool.submit(mark_and_pass, scratch.file("started"), gate.path(), 5);
  REQUIRE(eventually([&] { return scratch.files() == 1; }));
  CHECK(eventually([&] { return task.running(); }));
  CHECK_FALSE(task.cancel());
  CHECK_FALSE(task.done());
  CHECK_FALSE(task.cancelled());
  CHECK_THROWS_AS(task.result(0s), rankpool::timeout_error);
  CHECK_THROWS_AS(task.exception(0s), rankpool::timeout_error);
  CHECK_THROWS_AS(task.result(10ms), rankpool::timeout_error);
  gate.open();
  CHECK(task.result() == 5);
  CHECK_FALSE(task.running());
}

TEST_CASE("a queued future is neither running nor done, and can be cancelled",
          "[future/pending][future/cancelled][future/no-time][future/cancel-far-back][fault]") {
  busy_pool busy;
  auto task = busy.pool.submit(square, 4);
  if (is_inline() && task.done()) return;  // inline, the task may already have run
  CHECK_FALSE(task.running());
  CHECK_FALSE(task.done());
  CHECK_THROWS_AS(task.result(0s), rankpool::timeout_error);
  CHECK_THROWS_AS(task.exception(0s), rankpool::timeout_error);
  CHECK(task.cancel());
  CHECK(task.cancelled());
  CHECK(task.done());
  CHECK_FALSE(task.running());
  CHECK(task.cancel());
  CHECK_THROWS_AS(task.result(), rankpool::cancelled_error);
  CHECK_THROWS_AS(task.result(0s), rankpool::cancelled_error);
  CHECK_THROWS_AS(task.exception(), rankpool::cancelled_error);
  CHECK_THROWS_AS(task.exception(0s), rankpool::cancelled_error);
  busy.release();
  for (int i = 0; i < 10; ++i) CHECK(busy.queued[static_cast<std::size_t>(i)].result() == i * i);
  check_computes(busy.pool);
}

TEST_CASE("a cancelled task never runs", "[future/cancelled][fault]") {
  const scratch_directory scratch;
  bool cancelled = false;
  {
    busy_pool busy;
    auto task = busy.pool.submit(leave_mark, scratch.file("mark"));
    cancelled = task.cancel();
    if (!is_inline()) CHECK(cancelled);
    busy.release();
    check_computes(busy.pool);
  }
  CHECK(scratch.files() == (cancelled ? 0 : 1));
}

TEST_CASE("cancel returns whether each of many futures was cancelled", "[future/cancelled][future/no-time][fault]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 200; ++i) tasks.push_back(pool.submit(square, i));
  std::vector<bool> cancelled;
  for (auto& task : tasks) cancelled.push_back(task.cancel());
  for (int i = 0; i < 200; ++i) {
    const auto n = static_cast<std::size_t>(i);
    if (cancelled[n]) {
      CHECK(tasks[n].done());
      CHECK_FALSE(tasks[n].running());
      CHECK_THROWS_AS(tasks[n].result(0s), rankpool::cancelled_error);
      CHECK_THROWS_AS(tasks[n].exception(0s), rankpool::cancelled_error);
    } else {
      CHECK(tasks[n].result() == i * i);
    }
    CHECK(tasks[n].cancelled() == cancelled[n]);
  }
  check_computes(pool);
}

TEST_CASE("result on another thread wakes when the task completes", "[future/woken]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto task = pool.submit(pass, gate.path(), 8);
  std::atomic<int> seen = 0;
  {
    const std::jthread reader([&, task] { seen = task.result(20s); });
    std::this_thread::sleep_for(10ms);
    gate.open();
  }
  CHECK(seen == 8);
}

TEST_CASE("result on another thread wakes when the task is cancelled", "[future/woken-by-cancel][fault][ranks]") {
  busy_pool busy;
  auto task = busy.pool.submit(square, 8);
  std::atomic<bool> woken = false;
  {
    const std::jthread reader([&, task] {
      try {
        static_cast<void>(task.result(20s));
      } catch (const rankpool::error& error) {
        woken = dynamic_cast<const rankpool::cancelled_error*>(&error) != nullptr;
      }
    });
    std::this_thread::sleep_for(10ms);
    CHECK(task.cancel());
  }
  CHECK(woken);
  busy.release();
  check_computes(busy.pool);
}

TEST_CASE("ids are different for different tasks") {
  rankpool::executor pool(cluster());
  rankpool::executor other(cluster());
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 50; ++i) {
    ids.insert(pool.submit(square, i).id());
    ids.insert(other.submit(square, i).id());
  }
  CHECK(ids.size() == 100);
}

TEST_CASE("a future prints its state and its id", "[future/printing][fault]") {
  busy_pool busy;
  auto task = busy.pool.submit(square, 1);
  const std::string waiting = printed(task);
  const bool cancelled = task.cancel();
  if (!is_inline()) {
    CHECK(cancelled);
    CHECK(eventually([&] { return busy.held.front().running(); }));
    CHECK_THAT(printed(busy.held.front()), containing("running"));
  }
  CHECK_THAT(waiting, containing(cancelled ? "pending" : "finished"));
  CHECK_THAT(waiting, containing(std::to_string(task.id())));
  CHECK_THAT(printed(task), containing(cancelled ? "cancelled" : "finished"));
  busy.release();
  busy.held.front().result();
  CHECK_THAT(printed(busy.held.front()), containing("finished"));
  CHECK_THAT(printed(busy.held.front()), containing(std::to_string(busy.held.front().id())));
  const auto failed = busy.pool.submit(fail, "on purpose");
  CHECK(failed.exception() != nullptr);
  CHECK_THAT(printed(failed), containing("failed"));
  check_computes(busy.pool);
}

TEST_CASE("four threads see the same future go from waiting to running to its end, and never back", "[future/consistent][fault]") {
  rankpool::executor pool(cluster());
  constexpr int count = 20;
  constexpr int was_cancelled = -1;
  std::atomic<int> contradictions = 0;
  for (int round = 0; round < 10; ++round) {
    std::vector<rankpool::future<int>> tasks;
    for (int i = 0; i < count; ++i) tasks.push_back(pool.submit(take, 50us, i));
    std::vector<std::vector<int>> ends(4, std::vector<int>(count));
    {
      std::vector<std::jthread> threads;
      for (std::size_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
          for (std::size_t n = 0; n < count; ++n) {
            auto task = tasks[n];
            if (thread == 0 && n % 2 == 0) task.cancel();
            for (bool done = false; !done;) {
              done = task.done();
              const bool cancelled = task.cancelled();
              if (done && task.running()) ++contradictions;
              if (cancelled && !task.done()) ++contradictions;
            }
            try {
              ends[thread][n] = task.result(0s);
              if (task.cancelled()) ++contradictions;
            } catch (const rankpool::cancelled_error&) {
              ends[thread][n] = was_cancelled;
              if (!task.cancelled()) ++contradictions;
            } catch (const rankpool::timeout_error&) {
              ++contradictions;
            }
          }
        });
      }
    }
    for (std::size_t n = 0; n < count; ++n) {
      const int end = ends[0][n];
      CHECK((end == static_cast<int>(n) || (end == was_cancelled && n % 2 == 0)));
      for (const auto& seen : ends) CHECK(seen[n] == end);
    }
  }
  CHECK(contradictions == 0);
  check_computes(pool);
}

TEST_CASE("a future outlives its executor") {
  rankpool::future<int> task = [] {
    rankpool::executor pool(cluster());
    return pool.submit(square, 12);
  }();
  CHECK(task.done());
  CHECK(task.result() == 144);
}

TEST_CASE("a container of move-only objects can be moved out of a future that has copies") {
  rankpool::executor pool(cluster());
  const auto boxes = [](int n) {
    std::vector<std::unique_ptr<box>> all;
    for (int i = 0; i < n; ++i) all.push_back(std::make_unique<box>(box{i}));
    return all;
  };
  auto alone = pool.submit(boxes, 3);
  CHECK(std::move(alone).result().back()->value == 2);
  auto shared = pool.submit(boxes, 4);
  const auto copy = shared;
  CHECK(copy.result().size() == 4);
  CHECK(std::move(shared).result().back()->value == 3);
  CHECK(copy.result().back()->value == 3);
}
