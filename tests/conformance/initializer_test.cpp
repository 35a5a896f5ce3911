// The initializer: once on each worker before its first task, and what happens if it fails.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

using namespace support;

namespace {

int times_initialized = 0;
int setting = 0;

void initialize() { ++times_initialized; }

void set(int value) { setting = value; }

int initialized_times() { return times_initialized; }

int setting_here() { return setting; }

void fail_to_initialize() { throw std::runtime_error("no licence for this machine"); }

struct setter {
  int value = 0;
  void operator()() const { setting = value; }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & value;
  }
};

/// Fails on the worker with the given rank alone.
void fail_on(int rank) {
  if (rankpool::this_worker::rank() == rank) throw std::runtime_error("this worker is unfit");
}

}  // namespace

TEST_CASE("the initializer has run before the first task on every worker") {
  rankpool::executor pool(cluster(), {.initializer = rankpool::partial(set, 31)});
  for (const int seen : pool.map(
           {.chunksize = 1}, [](int) { return setting_here(); }, numbers(10 * workers()))) {
    CHECK(seen == 31);
  }
}

TEST_CASE("the initializer runs once on each worker", "[processes]") {
  rankpool::executor warm_up(cluster());
  const int before = warm_up.submit(initialized_times).result();
  rankpool::executor pool(cluster(), {.max_workers = 1, .initializer = initialize});
  for (int i = 0; i < 30; ++i) CHECK(pool.submit(initialized_times).result() <= before + workers());
  if (!is_inline()) CHECK(times_initialized == 0);
}

TEST_CASE("an initializer may be a function, a lambda, a function object with state, or a partial application") {
  {
    rankpool::executor pool(cluster(), {.initializer = [] { setting = 5; }});
    CHECK(pool.submit(setting_here).result() == 5);
  }
  {
    rankpool::executor pool(cluster(), {.initializer = setter{6}});
    CHECK(pool.submit(setting_here).result() == 6);
  }
  {
    rankpool::executor pool(cluster(), {.initializer = rankpool::partial(set, 7)});
    CHECK(pool.submit(setting_here).result() == 7);
  }
}

TEST_CASE("each executor has an initializer of its own") {
  rankpool::executor first(cluster(), {.initializer = rankpool::partial(set, 1)});
  CHECK(first.submit(setting_here).result() == 1);
  rankpool::executor second(cluster(), {.initializer = rankpool::partial(set, 2)});
  CHECK(second.submit(setting_here).result() == 2);
  rankpool::executor none(cluster());
  check_computes(none);
}

TEST_CASE("the initializer has run before the chunks of a map and of transform_reduce") {
  rankpool::executor pool(cluster(), {.initializer = rankpool::partial(set, 3)});
  const auto scaled = [](int n) { return setting * n; };
  CHECK(collect(pool.map({.chunksize = 7}, scaled, numbers(4))) == std::vector{0, 3, 6, 9});
  CHECK(pool.transform_reduce(numbers(101), 0, add, scaled) == 3 * 5050);
}

TEST_CASE("a failing initializer breaks the pool: pending futures say why, later submits throw, nothing hangs") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    std::vector<rankpool::future<int>> tasks;
    try {
      for (int i = 0; i < 20; ++i) tasks.push_back(pool.submit(square, i));
    } catch (const rankpool::broken_pool&) {
      // The first task may have broken the pool before the last is submitted.
    }
    REQUIRE_FALSE(tasks.empty());
    for (auto& task : tasks) {
      CHECK_THROWS_AS(task.result(), rankpool::broken_pool);
      CHECK_THROWS_WITH(task.result(), containing("no licence for this machine"));
    }
    CHECK_THROWS_AS(pool.submit(square, 1), rankpool::broken_pool);
    CHECK_THROWS_AS(pool.map(square, numbers(3)), rankpool::broken_pool);
    pool.shutdown();
  }
  check_cluster_computes();
}

TEST_CASE("a failing initializer breaks a map that is being read") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    auto results = pool.map(square, numbers(20));
    CHECK_THROWS_AS(collect(results), rankpool::broken_pool);
  }
  check_cluster_computes();
}

TEST_CASE("an initializer that fails on one worker alone breaks the pool as well") {
  {
    const int unfit = cluster().workers().back().rank;
    rankpool::executor pool(cluster(), {.initializer = rankpool::partial(fail_on, unfit)});
    std::vector<rankpool::future<int>> tasks;
    try {
      for (int i = 0; i < 50 * workers(); ++i) tasks.push_back(pool.submit(take, 1000us, i));
    } catch (const rankpool::broken_pool&) {
    }
    CHECK_THROWS_AS(
        [&] {
          for (auto& task : tasks) static_cast<void>(task.result());
        }(),
        rankpool::broken_pool);
    CHECK_THROWS_WITH(pool.submit(square, 1), containing("this worker is unfit"));
  }
  check_cluster_computes();
}

TEST_CASE("an initializer that is never needed is never run") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    pool.shutdown();
  }
  { rankpool::executor pool(cluster(), {.initializer = fail_to_initialize}); }
  check_cluster_computes();
}

TEST_CASE("an initializer that fails while a map still reads its input ends the map with broken_pool") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    const std::vector<std::string> input(200'000, "a text that is long enough to fill many blocks of input");
    std::size_t yielded = 0;
    bool broken = false;
    try {
      for (const auto size : pool.map([](const std::string& s) { return s.size(); }, input)) {
        CHECK(size > 0);
        ++yielded;
      }
    } catch (const rankpool::broken_pool&) {
      broken = true;
    }
    CHECK(broken);
    CHECK(yielded == 0);
  }
  check_cluster_computes();
}

TEST_CASE("tasks submitted while the initializer fails all fail") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    std::vector<rankpool::future<int>> futures;
    try {
      for (int i = 0; i < 20'000; ++i) futures.push_back(pool.submit([](int n) { return n; }, i));
    } catch (const rankpool::broken_pool&) {
    }
    for (const auto& f : futures) CHECK_THROWS_AS(f.result(20s), rankpool::broken_pool);
  }
  check_cluster_computes();
}
