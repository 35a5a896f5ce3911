// shutdown and the destructor: all submitted tasks are finished or cancelled, and no call hangs.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <optional>
#include <string>
#include <tuple>
#include <vector>

using namespace support;

TEST_CASE("after shutdown everything that would start a task throws", "[executor/closed-size][shutdown/closed][fault]") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(square, 2).result() == 4);
  pool.shutdown();
  CHECK_THROWS_AS(pool.submit(square, 2), rankpool::pool_closed);
  CHECK_THROWS_AS(pool.submit({.priority = 1}, square, 2), rankpool::pool_closed);
  CHECK_THROWS_AS(pool.map(square, numbers(3)), rankpool::pool_closed);
  CHECK_THROWS_AS(pool.starmap(add, std::vector<std::tuple<int, int>>{{1, 2}}), rankpool::pool_closed);
  CHECK_THROWS_AS(pool.transform_reduce(numbers(3), 0, add, square), rankpool::pool_closed);
  CHECK(pool.num_workers() == 0);
  check_cluster_computes();
}

TEST_CASE("pool_closed is a rankpool::error and a std::runtime_error") {
  rankpool::executor pool(cluster());
  pool.shutdown();
  CHECK_THROWS_AS(pool.submit(square, 2), rankpool::error);
  CHECK_THROWS_AS(pool.submit(square, 2), std::runtime_error);
}

TEST_CASE("shutdown finishes fifty queued tasks", "[shutdown/finishes]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back(pool.submit(take, 300us, i));
  pool.shutdown({.wait = true});
  for (int i = 0; i < 50; ++i) {
    CHECK(tasks[static_cast<std::size_t>(i)].done());
    CHECK(tasks[static_cast<std::size_t>(i)].result() == i);
  }
}

TEST_CASE("the destructor finishes submitted and mapped tasks", "[shutdown/destructor]") {
  const scratch_directory scratch;
  std::vector<std::string> paths;
  for (int i = 0; i < 30; ++i) paths.push_back(scratch.file("mapped" + std::to_string(i)));
  std::vector<rankpool::future<bool>> tasks;
  {
    rankpool::executor pool(cluster());
    auto results = std::optional(pool.map(leave_mark, paths));
    for (int i = 0; i < 20; ++i) tasks.push_back(pool.submit(leave_mark, scratch.file(std::to_string(i))));
    CHECK(drain(*results) == 30);
  }
  for (auto& task : tasks) CHECK(task.done());
  CHECK(scratch.files() == 50);
}

TEST_CASE("results of a map can be read after shutdown, up to the end") {
  rankpool::executor pool(cluster());
  auto results = pool.map(square, numbers(100));
  pool.shutdown();
  CHECK(collect(results) == squares(100));
}

TEST_CASE("a map_results outlives its executor") {
  auto results = [] {
    rankpool::executor pool(cluster());
    return pool.map(square, numbers(100));
  }();
  CHECK(collect(results) == squares(100));
}

TEST_CASE("shutdown with cancel_futures cancels waiting tasks and finishes the others", "[shutdown/cancels][fault][ranks]") {
  rankpool::executor pool(cluster());
  gate gate;
  const scratch_directory scratch;
  std::vector<rankpool::future<int>> running;
  for (int i = 0; i < workers(); ++i) {
    running.push_back(pool.submit(mark_and_pass, scratch.file(std::to_string(i)), gate.path(), i));
  }
  REQUIRE(eventually([&] { return scratch.files() == workers(); }));
  std::vector<rankpool::future<int>> queued;
  for (int i = 0; i < 100 * workers(); ++i) queued.push_back(pool.submit(square, i));
  pool.shutdown({.wait = false, .cancel_futures = true});
  CHECK(eventually([&] { return queued.back().cancelled(); }));
  gate.open();
  pool.shutdown();
  for (int i = 0; i < workers(); ++i) CHECK(running[static_cast<std::size_t>(i)].result() == i);
  for (auto& task : queued) CHECK(task.done());
  check_cluster_computes();
}

TEST_CASE("shutdown with cancel_futures leaves every future done, inline too", "[shutdown/cancels][fault]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 300; ++i) tasks.push_back(pool.submit(square, i));
  pool.shutdown({.cancel_futures = true});
  for (int i = 0; i < 300; ++i) {
    auto& task = tasks[static_cast<std::size_t>(i)];
    CHECK(task.done());
    if (!task.cancelled()) CHECK(task.result() == i * i);
  }
  check_cluster_computes();
}

TEST_CASE("shutdown without waiting lets tasks continue, and a later shutdown waits for them", "[shutdown/no-wait][fault]") {
  rankpool::executor pool(cluster());
  gate gate;
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(pool.submit(pass, gate.path(), i));
  pool.shutdown({.wait = false});
  CHECK_THROWS_AS(pool.submit(square, 1), rankpool::pool_closed);
  CHECK(pool.num_workers() == 0);
  gate.open();
  pool.shutdown({.wait = true});
  for (int i = 0; i < 20; ++i) {
    CHECK(tasks[static_cast<std::size_t>(i)].done());
    CHECK(tasks[static_cast<std::size_t>(i)].result() == i);
  }
  check_cluster_computes();
}

TEST_CASE("futures complete after a shutdown that did not wait") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back(pool.submit(square, i));
  pool.shutdown({.wait = false});
  for (int i = 0; i < 50; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == i * i);
}

TEST_CASE("a later shutdown may add cancel_futures", "[fault][ranks]") {
  rankpool::executor pool(cluster());
  gate gate;
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 200 * workers(); ++i) tasks.push_back(pool.submit(pass, gate.path(), i));
  pool.shutdown({.wait = false});
  CHECK_FALSE(tasks.back().done());
  pool.shutdown({.wait = false, .cancel_futures = true});
  CHECK(eventually([&] { return tasks.back().cancelled(); }));
  gate.open();
  pool.shutdown();
  check_cluster_computes();
}

TEST_CASE("repeated shutdowns are harmless", "[shutdown/repeated][fault]") {
  rankpool::executor pool(cluster());
  auto task = pool.submit(square, 5);
  for (int i = 0; i < 3; ++i) {
    pool.shutdown();
    pool.shutdown({.wait = false});
    pool.shutdown({.wait = true, .cancel_futures = true});
  }
  CHECK(task.result() == 25);
  check_cluster_computes();
}

TEST_CASE("two threads may shut down at once") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 30; ++i) tasks.push_back(pool.submit(take, 200us, i));
  {
    const std::jthread other([&] { pool.shutdown(); });
    pool.shutdown();
  }
  for (auto& task : tasks) CHECK(task.done());
}

TEST_CASE("no hang when a future is cancelled right before shutdown", "[shutdown/after-cancel][fault]") {
  for (int round = 0; round < 20; ++round) {
    rankpool::executor pool(cluster());
    std::vector<rankpool::future<int>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(pool.submit(square, i));
    for (auto& task : tasks) task.cancel();
    pool.shutdown();
    for (auto& task : tasks) CHECK(task.done());
  }
  check_cluster_computes();
}

TEST_CASE("no hang when map results are dropped right before shutdown", "[shutdown/after-drop][fault]") {
  for (int round = 0; round < 20; ++round) {
    rankpool::executor pool(cluster());
    static_cast<void>(pool.map({.chunksize = round % 3}, square, numbers(100)));
    pool.shutdown();
  }
  check_cluster_computes();
}

TEST_CASE("no hang when a task fails after shutdown", "[shutdown/then-failure][fault]") {
  rankpool::executor pool(cluster());
  gate gate;
  auto task = pool.submit(
      [](const std::string& path) {
        pass(path, 0);
        throw std::runtime_error("after shutdown");
      },
      gate.path());
  pool.shutdown({.wait = false});
  gate.open();
  CHECK_THROWS_WITH(task.result(), containing("after shutdown"));
  pool.shutdown();
  check_cluster_computes();
}

TEST_CASE("a buffered map that is not read to its end does not block shutdown", "[shutdown/after-drop][fault]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.buffersize = 4}, square, std::views::iota(0));
  CHECK(*results.begin() == 0);
  pool.shutdown();
  check_cluster_computes();
}

TEST_CASE("a map that was shut down before it read all its input yields its results, then pool_closed", "[fault]") {
  rankpool::executor pool(cluster());
  const auto input = numbers(10);
  auto results = pool.map({.buffersize = 4}, square, input);
  pool.shutdown();
  std::vector<int> yielded;
  bool closed = false;
  for (auto it = results.begin(); it != results.end(); ++it) {
    try {
      yielded.push_back(*it);
    } catch (const rankpool::pool_closed&) {
      closed = true;
    }
  }
  CHECK(yielded == squares(4));
  CHECK(closed);
  check_cluster_computes();
}

TEST_CASE("a map that has read all its input is complete although the executor was shut down") {
  rankpool::executor pool(cluster());
  const auto input = numbers(4);
  auto results = pool.map({.buffersize = 4}, square, input);
  pool.shutdown();
  CHECK(collect(std::move(results)) == squares(4));
}
