// run_everywhere: runs a function once on each worker of an executor.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

using namespace support;

namespace {

// Each worker has its own copy, whether it is a process or a thread.
thread_local int setting = 0;

void set(int value) { setting = value; }

int add_to_setting(int value) { return setting += value; }

int fail_on(int rank) {
  const int here = rankpool::this_worker::rank();
  if (here == rank) throw std::invalid_argument("rank " + std::to_string(here) + " is unfit");
  return here;
}

int count_mark(const std::string& path) {
  leave_mark(path + std::to_string(rankpool::this_worker::rank()));
  return rankpool::this_worker::rank();
}

std::vector<int> ranks_of_workers() {
  std::vector<int> ranks;
  for (const auto& worker : cluster().workers()) ranks.push_back(worker.rank);
  return ranks;
}

}  // namespace

TEST_CASE("run_everywhere gives one result for each worker, in rank order", "[everywhere/each]") {
  rankpool::executor pool(cluster());
  CHECK(pool.run_everywhere(rank_of_worker) == ranks_of_workers());
  CHECK(pool.run_everywhere(add, 40, 2) == std::vector<int>(static_cast<std::size_t>(workers()), 42));
  CHECK(pool.run_everywhere([](const std::string& s) { return s.size() > 2; }, "abc") ==
        std::vector<bool>(static_cast<std::size_t>(workers()), true));
  STATIC_REQUIRE(std::is_void_v<decltype(pool.run_everywhere(nothing))>);
  pool.run_everywhere(nothing);
  check_computes(pool);
}

TEST_CASE("an argument of run_everywhere may be a large array, or move-only") {
  rankpool::executor pool(cluster());
  const std::vector<double> numbers(100'000, 0.5);
  const auto sum = [](const std::vector<double>& all) { return static_cast<double>(all.size()) * all.back(); };
  CHECK(pool.run_everywhere(sum, numbers) == std::vector<double>(static_cast<std::size_t>(workers()), 50'000));
  const auto value = [](const std::unique_ptr<int>& held) { return *held; };
  CHECK(pool.run_everywhere(value, std::make_unique<int>(7)) == std::vector<int>(static_cast<std::size_t>(workers()), 7));
}

TEST_CASE("run_everywhere runs after the initializer", "[everywhere/initializer]") {
  rankpool::executor pool(cluster(), {.initializer = rankpool::partial(set, 100)});
  for (int turn = 1; turn <= 3; ++turn) {
    CHECK(pool.run_everywhere(add_to_setting, 1) == std::vector<int>(static_cast<std::size_t>(workers()), 100 + turn));
  }
}

TEST_CASE("run_everywhere reaches every worker exactly once while thousands of tasks run", "[everywhere/busy]") {
  rankpool::executor pool(cluster());
  const scratch_directory scratch;
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 3000; ++i) tasks.push_back(pool.submit(square, i));
  auto results = pool.map(square, numbers(3000));
  for (int turn = 0; turn < 5; ++turn) {
    const std::string mark = scratch.file(std::to_string(turn) + "-");
    CHECK(pool.run_everywhere(count_mark, mark) == ranks_of_workers());
    CHECK(scratch.files() == (turn + 1) * workers());
  }
  CHECK(collect(results) == squares(3000));
  for (int i = 0; i < 3000; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == i * i);
}

TEST_CASE("run_everywhere waits for the running task of each worker", "[ranks]") {
  rankpool::executor pool(cluster());
  gate gate;
  const scratch_directory scratch;
  auto held = pool.submit(mark_and_pass, scratch.file("begun"), gate.path(), 3);
  REQUIRE(eventually([&] { return scratch.files() == 1; }));
  std::vector<int> ranks;
  std::thread asks([&] { ranks = pool.run_everywhere(rank_of_worker); });
  if (workers() > 1) CHECK(pool.submit(square, 3).result() == 9);
  gate.open();
  asks.join();
  CHECK(ranks == ranks_of_workers());
  CHECK(held.result() == 3);
}

TEST_CASE("an executor with max_workers uses only the workers that run_everywhere has used", "[everywhere/limited]") {
  const int most = std::max(1, workers() - 1);
  rankpool::executor pool(cluster(), {.max_workers = most});
  const auto used = pool.run_everywhere(rank_of_worker);
  CHECK(static_cast<int>(used.size()) == most);
  CHECK(std::ranges::is_sorted(used));
  CHECK(pool.run_everywhere(rank_of_worker) == used);
  const std::set<int> known(used.begin(), used.end());
  for (const int rank : pool.map([](int) { return rank_of_worker(); }, numbers(500))) CHECK(known.contains(rank));
}

TEST_CASE("if a call of run_everywhere throws, all calls still run, and the exception is rethrown", "[everywhere/error][fault]") {
  rankpool::executor pool(cluster());
  const int last = ranks_of_workers().back();
  try {
    (void)pool.run_everywhere(fail_on, last);
    FAIL("nothing was thrown");
  } catch (const std::invalid_argument& error) {
    CHECK(error.what() == "rank " + std::to_string(last) + " is unfit");
    const auto* where = rankpool::remote_context(error);
    REQUIRE(where != nullptr);
    CHECK(where->rank == last);
  }
  check_computes(pool);
}

TEST_CASE("run_everywhere throws after shutdown, and in a task", "[fault]") {
  rankpool::executor pool(cluster());
  pool.run_everywhere(nothing);
  pool.shutdown();
  CHECK_THROWS_AS(pool.run_everywhere(nothing), rankpool::pool_closed);
  check_cluster_computes();
}

TEST_CASE("a failed initializer breaks run_everywhere", "[fault]") {
  {
    rankpool::executor pool(cluster(), {.initializer = [] { throw std::runtime_error("no licence"); }});
    CHECK_THROWS_AS(pool.run_everywhere(nothing), rankpool::broken_pool);
  }
  check_cluster_computes();
}

TEST_CASE("a callback may call run_everywhere") {
  rankpool::executor pool(cluster());
  std::vector<int> ranks;
  auto task = pool.submit(square, 2);
  std::promise<void> called;
  task.add_done_callback([&](const rankpool::future<int>&) {
    ranks = pool.run_everywhere(rank_of_worker);
    called.set_value();
  });
  called.get_future().wait();
  CHECK(ranks == ranks_of_workers());
}
