// task_options: tasks of higher priority run first; tasks of equal priority run in the order of submission.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

using namespace support;

namespace {

/// Records the order of tasks on one node, whose processes all have the same steady clock.
std::chrono::nanoseconds moment() {
  std::this_thread::sleep_for(20us);
  return std::chrono::steady_clock::now().time_since_epoch();
}

using moments = std::vector<rankpool::future<std::chrono::nanoseconds>>;

std::vector<std::chrono::nanoseconds> read(moments& tasks) {
  std::vector<std::chrono::nanoseconds> times;
  for (auto& task : tasks) times.push_back(task.result());
  return times;
}

}  // namespace

TEST_CASE("submit with options returns the value") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit({.priority = 3}, square, 7).result() == 49);
  CHECK(pool.submit(rankpool::task_options{}, add, 1, 2).result() == 3);
  CHECK(pool.submit({.priority = -3}, [] { return 5; }).result() == 5);
}

TEST_CASE("a task of higher priority overtakes waiting tasks", "[ranks]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  gate gate;
  auto held = pool.submit(pass, gate.path(), 0);
  moments low;
  moments high;
  for (int i = 0; i < 200; ++i) low.push_back(pool.submit({.priority = -1}, moment));
  for (int i = 0; i < 5; ++i) high.push_back(pool.submit({.priority = 10}, moment));
  gate.open();
  const auto low_times = read(low);
  const auto high_times = read(high);
  CHECK(std::ranges::max(high_times) < low_times.back());
  CHECK(std::ranges::is_sorted(low_times));
  CHECK(std::ranges::is_sorted(high_times));
}

TEST_CASE("tasks of equal priority run in the order of submission", "[ranks]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  moments tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(pool.submit(moment));
  const auto times = read(tasks);
  CHECK(std::ranges::is_sorted(times));
}
