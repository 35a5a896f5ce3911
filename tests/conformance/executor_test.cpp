// The executor: its options, its number of workers, move construction, and several executors on the same workers.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <chrono>
#include <concepts>
#include <deque>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

using namespace support;

namespace {

using clock_ticks = std::chrono::nanoseconds;

/// The begin and the end of a task. All processes of a node have the same steady clock.
using span_of_time = std::pair<clock_ticks, clock_ticks>;

span_of_time stay(std::chrono::microseconds time) {
  const auto begin = std::chrono::steady_clock::now().time_since_epoch();
  std::this_thread::sleep_for(time);
  return {begin, std::chrono::steady_clock::now().time_since_epoch()};
}

int most_at_once(std::vector<span_of_time> spans) {
  int most = 0;
  for (const auto& [moment, ignored] : spans) {
    int running = 0;
    for (const auto& [begin, end] : spans) running += begin <= moment && moment < end;
    most = std::max(most, running);
  }
  return most;
}

int most_at_once(rankpool::executor& pool, int count) {
  std::vector<rankpool::future<span_of_time>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(pool.submit(stay, 3ms));
  std::vector<span_of_time> spans;
  for (auto& task : tasks) spans.push_back(task.result());
  return most_at_once(spans);
}

}  // namespace

static_assert(std::movable<rankpool::executor>);
static_assert(!std::copyable<rankpool::executor>);

TEST_CASE("an executor uses all workers by default") {
  rankpool::executor all(cluster());
  CHECK(all.num_workers() == workers());
  rankpool::executor zero(cluster(), {.max_workers = 0});
  CHECK(zero.num_workers() == workers());
  rankpool::executor one(cluster(), {.max_workers = 1});
  CHECK(one.num_workers() == 1);
  rankpool::executor too_many(cluster(), {.max_workers = 10'000});
  CHECK(too_many.num_workers() == workers());
}

TEST_CASE("a negative number of workers is refused", "[executor/negative][fault]") {
  CHECK_THROWS_AS(rankpool::executor(cluster(), {.max_workers = -1}), std::invalid_argument);
  check_cluster_computes();
}

TEST_CASE("an executor never runs more tasks at once than max_workers") {
  for (const int limit : {1, 2, 3}) {
    rankpool::executor pool(cluster(), {.max_workers = limit});
    CHECK(most_at_once(pool, 12) <= std::min(limit, workers()));
  }
}

TEST_CASE("an executor runs as many tasks at once as there are workers", "[ranks]") {
  rankpool::executor pool(cluster());
  CHECK(most_at_once(pool, 12) <= workers());
  gate all_are_here;
  const scratch_directory scratch;
  for (int i = 0; i < workers(); ++i) {
    pool.submit(mark_and_pass, scratch.file(std::to_string(i)), all_are_here.path(), 0);
  }
  CHECK(eventually([&] { return scratch.files() == workers(); }));
}

TEST_CASE("an executor of one worker may be followed by one of three", "[executor/one-then-three]") {
  for (const int limit : {1, 3}) {
    rankpool::executor pool(cluster(), {.max_workers = limit});
    CHECK(pool.num_workers() == std::min(limit, workers()));
    check_computes(pool);
  }
}

TEST_CASE("a program may have many executors, one after the other") {
  for (int i = 0; i < 50; ++i) {
    rankpool::executor pool(cluster());
    CHECK(pool.submit(square, i).result() == i * i);
  }
}

TEST_CASE("an executor that was never used ends at once") {
  for (int i = 0; i < 50; ++i) rankpool::executor pool(cluster());
  check_cluster_computes();
}

TEST_CASE("an executor can be moved with its tasks") {
  rankpool::executor first(cluster());
  gate gate;
  auto held = first.submit(pass, gate.path(), 5);
  rankpool::executor second = std::move(first);
  auto later = second.submit(square, 6);
  gate.open();
  CHECK(held.result() == 5);
  CHECK(later.result() == 36);
  second = rankpool::executor(cluster(), {.max_workers = 1});
  check_computes(second);
}

TEST_CASE("three executors with interleaved submits get the right results", "[executor/interleaved]") {
  rankpool::executor a(cluster());
  rankpool::executor b(cluster(), {.max_workers = 1});
  rankpool::executor c(cluster(), {.max_workers = 2});
  std::vector<rankpool::future<int>> squares;
  std::vector<rankpool::future<int>> sums;
  std::vector<rankpool::future<int>> same;
  for (int i = 0; i < 60; ++i) {
    squares.push_back(a.submit(square, i));
    sums.push_back(b.submit(add, i, 1000));
    same.push_back(c.submit(identity, i));
  }
  for (int i = 60; i-- > 0;) {
    const auto n = static_cast<std::size_t>(i);
    CHECK(sums[n].result() == i + 1000);
    CHECK(squares[n].result() == i * i);
    CHECK(same[n].result() == i);
  }
}

TEST_CASE("sixteen executors share the workers for 2,048 tasks and lose none", "[executor/sixteen]") {
  std::deque<rankpool::executor> pools;
  for (int i = 0; i < 16; ++i) pools.emplace_back(cluster(), rankpool::executor_options{.max_workers = 1 + i % 3});
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 2048; ++i) tasks.push_back(pools[static_cast<std::size_t>(i) % 16].submit(add, i, 1));
  int wrong = 0;
  for (int i = 0; i < 2048; ++i) wrong += tasks[static_cast<std::size_t>(i)].result() != i + 1;
  CHECK(wrong == 0);
}

TEST_CASE("an executor whose tasks block does not delay another with free workers", "[ranks]") {
  if (workers() < 2) return;
  rankpool::executor blocked(cluster(), {.max_workers = 1});
  rankpool::executor free(cluster(), {.max_workers = 1});
  gate gate;
  std::vector<rankpool::future<int>> held;
  for (int i = 0; i < 20; ++i) held.push_back(blocked.submit(pass, gate.path(), i));
  CHECK(eventually([&] { return held.front().running(); }));
  CHECK(collect(free.map({.timeout = 10s}, square, numbers(100))) == squares(100));
  CHECK_FALSE(held.front().done());
}

TEST_CASE("shutdown of one executor does not affect the others") {
  rankpool::executor first(cluster());
  rankpool::executor second(cluster());
  auto of_first = first.submit(square, 3);
  auto of_second = second.submit(square, 4);
  first.shutdown();
  CHECK(of_first.result() == 9);
  CHECK(of_second.result() == 16);
  check_computes(second);
}

TEST_CASE("each thread of rank 0 may have an executor of its own", "[submit/threads]") {
  std::vector<int> sums(3);
  {
    std::vector<std::jthread> threads;
    for (int& sum : sums) {
      threads.emplace_back([&sum] {
        rankpool::executor pool(cluster());
        for (const int n : pool.map(square, numbers(40))) sum += n;
      });
    }
  }
  const auto expected = squares(40);
  CHECK(sums == std::vector<int>(3, std::accumulate(expected.begin(), expected.end(), 0)));
}

TEST_CASE("an executor of one worker keeps its worker", "[executor/home]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  std::set<int> ranks;
  for (int i = 0; i < 20; ++i) ranks.insert(pool.submit(rank_of_worker).result());
  CHECK(ranks.size() == 1);
}
