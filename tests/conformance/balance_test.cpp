// Load balance: tasks run while the caller does other work, and a slow worker does not delay the others.
#include "support/gate.hpp"
#include "support/sizes.hpp"
#include "support/tasks.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace support;

namespace {

std::chrono::nanoseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }

std::chrono::nanoseconds end_of_short_task(int) {
  std::this_thread::sleep_for(1ms);
  return now();
}

/// Sleeps 20 times as long on the rank `slow_rank` as on the others. Returns its rank.
int rank_that_ran(int slow_rank, int) {
  const int rank = rankpool::this_worker::rank();
  std::this_thread::sleep_for(rank == slow_rank ? 20ms : 1ms);
  return rank;
}

/// Returns the CPU time that this process has used.
std::chrono::microseconds processor_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto duration = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return duration(usage.ru_utime) + duration(usage.ru_stime);
}

std::size_t stay_busy(int microseconds, const std::string& text) {
  const auto end = now() + std::chrono::microseconds(microseconds);
  while (now() < end) {
  }
  return text.size();
}

int highest_rank() {
  int highest = 0;
  for (const auto& worker : cluster().workers()) highest = std::max(highest, worker.rank);
  return highest;
}

}  // namespace

TEST_CASE("the tasks of a map run while the caller sleeps", "[ranks]") {
  rankpool::executor pool(cluster());
  auto results = pool.map(end_of_short_task, numbers(10 * workers()));
  std::this_thread::sleep_for(300ms);
  const auto awake = now();
  int late = 0;
  for (const auto end : results) late += end > awake;
  CHECK(late == 0);
}

TEST_CASE("submitted tasks run while the caller sleeps", "[ranks]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<std::chrono::nanoseconds>> tasks;
  for (int i = 0; i < 10 * workers(); ++i) tasks.push_back(pool.submit(end_of_short_task, i));
  std::this_thread::sleep_for(300ms);
  const auto awake = now();
  CHECK(std::ranges::all_of(tasks, [](const auto& task) { return task.done(); }));
  int late = 0;
  for (auto& task : tasks) late += task.result() > awake;
  CHECK(late == 0);
}

TEST_CASE("a worker far slower than the others gets fewer tasks of a map", "[scale/slow-worker][ranks]") {
  if (workers() < 2) return;
  rankpool::executor pool(cluster());
  const int slow = highest_rank();
  std::map<int, int> tasks_of;
  for (const int rank : pool.map(rankpool::partial(rank_that_ran, slow), numbers(200))) ++tasks_of[rank];
  CHECK(tasks_of[slow] < 200 / workers() / 2);
}

TEST_CASE("a worker far slower than the others gets fewer submitted tasks", "[scale/slow-worker][ranks]") {
  if (workers() < 2) return;
  rankpool::executor pool(cluster());
  const int slow = highest_rank();
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 200; ++i) tasks.push_back(pool.submit(rank_that_ran, slow, i));
  std::map<int, int> tasks_of;
  for (auto& task : tasks) ++tasks_of[task.result()];
  CHECK(tasks_of[slow] < 200 / workers() / 2);
}

TEST_CASE("a long task does not delay the short ones submitted after it", "[ranks]") {
  if (workers() < 2) return;
  rankpool::executor pool(cluster());
  gate gate;
  auto held = pool.submit(pass, gate.path(), 1);
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 500; ++i) tasks.push_back(pool.submit(square, i));
  // All tasks except those that are already prefetched to the blocked worker.
  CHECK(eventually([&] { return std::ranges::count_if(tasks, [](const auto& task) { return task.done(); }) > 300; }));
  CHECK_FALSE(held.done());
  gate.open();
  for (int i = 0; i < 500; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == i * i);
}

TEST_CASE("tasks of very different lengths all return, each with its own value", "[scale/mixed]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 120; ++i) {
    const auto time = i == 60 ? 1'000'000us : i % 40 == 0 ? 20'000us : i % 10 == 0 ? 1'000us : 1us;
    tasks.push_back(pool.submit(take, time, i));
  }
  for (int i = 0; i < 120; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == i);
}

TEST_CASE("a hundred thousand tiny tasks take only seconds without a chunk size", "[reproach/tiny]") {
  rankpool::executor pool(cluster());
  constexpr int count = scaled_down(100'000);
  const auto time_of = [&](const rankpool::map_options& options) {
    const auto start = now();
    int wrong = 0;
    int expected = 0;
    for (const int n : pool.map(options, identity, numbers(count))) wrong += n != expected++;
    CHECK(wrong == 0);
    return now() - start;
  };
  const auto in_chunks = time_of({.chunksize = 1000});
  CHECK(time_of({}) < 5 * in_chunks + 300ms * slowdown);

  const auto start = now();
  std::vector<rankpool::future<int>> tasks;
  for (int n = 0; n < count; ++n) tasks.push_back(pool.submit(identity, n));
  rankpool::wait(tasks);
  CHECK(now() - start < count * 100us * slowdown);
}

TEST_CASE("idle ranks use almost no CPU time", "[reproach/idle][ranks]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  const auto worker_before = pool.submit(processor_time).result();
  const auto here_before = processor_time();
  std::this_thread::sleep_for(400ms);
  CHECK(processor_time() - here_before < 80ms);
  CHECK(pool.submit(processor_time).result() - worker_before < 80ms);
}

TEST_CASE("a worker reads all messages that arrived while it was busy, and later tasks are not delayed") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  const std::string text(120, 'x');
  for (int round = 0; round < 4; ++round) {
    std::vector<rankpool::future<std::size_t>> futures;
    futures.push_back(pool.submit(stay_busy, round == 0 ? 0 : 9000, text));  // from the second round on, the pool expects a short task
    for (int n = 0; n < 40; ++n) {
      std::this_thread::sleep_for(20us);  // sends each task in its own message
      futures.push_back(pool.submit(stay_busy, 20, text));
    }
    const auto deadline = now() + 10s;  // a poll without a message costs up to 100 ms
    for (const auto& future : futures) CHECK(future.result(deadline - now()) == text.size());
    for (int n = 0; n < 200; ++n) CHECK(pool.submit(stay_busy, 0, text).result(deadline - now()) == text.size());
  }
}
