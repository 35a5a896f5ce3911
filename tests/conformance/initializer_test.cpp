// The initializer runs once on each worker, before the first task there; what happens if it fails.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using namespace support;

namespace {

// Each worker has its own copy, whether it is a process or a thread.
thread_local int times_initialized = 0;
thread_local int setting = 0;

void initialize() { ++times_initialized; }

void set(int value) { setting = value; }

int setting_here() { return setting; }

void set_to_length(const std::string& text) { setting = static_cast<int>(text.size()); }

void throw_message(const std::string& message) { throw std::runtime_error(message); }

void fail_to_initialize() { throw std::runtime_error("no licence for this machine"); }

struct setter {
  int value = 0;
  void operator()() const { setting = value; }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& value;
  }
};

/// Throws only on the worker with the given rank.
void fail_on(int rank) {
  if (rankpool::this_worker::rank() == rank) throw std::runtime_error("this worker is unfit");
}

/// Counts how often it was deserialised.
struct table {
  std::vector<double> values;
  static inline thread_local int arrivals = 0;

  template <class Archive>
  void save(Archive& archive, unsigned) const {
    archive << values;
  }
  template <class Archive>
  void load(Archive& archive, unsigned) {
    archive >> values;
    ++arrivals;
  }
  BOOST_SERIALIZATION_SPLIT_MEMBER()
};

/// The worker, its setting, how often its initializer has run, and how often a table was deserialised there.
struct sight {
  int rank = 0;
  int setting = 0;
  int times = 0;
  int arrivals = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& rank& setting& times& arrivals;
  }
};

/// Leaves a mark named after its worker and waits for the gate, so that every worker runs one of these tasks.
sight look(const std::string& marks, const std::string& gate_path) {
  const sight seen{rank_of_worker(), setting, times_initialized, table::arrivals};
  leave_mark(marks + "/" + std::to_string(seen.rank));
  pass(gate_path, 0);
  return seen;
}

std::vector<sight> look_everywhere(rankpool::executor& pool) {
  gate all_are_here;
  const scratch_directory here;
  std::vector<rankpool::future<sight>> tasks;
  for (int i = 0; i < workers(); ++i) tasks.push_back(pool.submit(look, here.path().string(), all_are_here.path()));
  if (!is_inline()) REQUIRE(eventually([&] { return here.files() == workers(); }));
  all_are_here.open();
  std::vector<sight> seen;
  for (auto& task : tasks) seen.push_back(task.result());
  return seen;
}

thread_local std::vector<double> kept;

void keep(const table& t) { kept = t.values; }

double read_kept(int n) { return kept.at(static_cast<std::size_t>(n)); }

}  // namespace

TEST_CASE("the initializer has run before the first task on every worker", "[initializer/first]") {
  rankpool::executor pool(cluster(), {.initializer = rankpool::partial(set, 31)});
  for (const sight& seen : look_everywhere(pool)) CHECK(seen.setting == 31);
}

TEST_CASE("the initializer runs once on each worker", "[initializer/first]") {
  std::map<int, int> before;
  {
    rankpool::executor pool(cluster());
    for (const sight& seen : look_everywhere(pool)) before[seen.rank] = seen.times;
  }
  rankpool::executor pool(cluster(), {.initializer = initialize});
  for (int round = 0; round < 3; ++round) {
    for (const sight& seen : look_everywhere(pool)) CHECK(seen.times == before.at(seen.rank) + 1);
    check_computes(pool);
  }
  if (!is_inline()) CHECK(times_initialized == 0);
}

TEST_CASE("a value that an initializer stores on a worker is sent once, however many tasks use it", "[reproach/sent-once]") {
  const table large{std::vector<double>(100'000, 1.5)};
  rankpool::executor pool(cluster(), {.initializer = rankpool::partial(keep, large)});
  look_everywhere(pool);
  for (const double value : pool.map({.chunksize = 1}, read_kept, numbers(200))) CHECK(value == 1.5);
  for (const sight& seen : look_everywhere(pool)) CHECK(seen.arrivals == 1);
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

TEST_CASE("the arguments and the exception of an initializer may be large", "[initializer/large][fault]") {
  constexpr std::size_t large = 1 << 20;
  {
    rankpool::executor pool(cluster(), {.initializer = rankpool::partial(set_to_length, std::string(large, 'x'))});
    for (const sight& seen : look_everywhere(pool)) CHECK(seen.setting == static_cast<int>(large));
  }
  {
    rankpool::executor pool(cluster(), {.initializer = rankpool::partial(throw_message, std::string(large, 'x'))});
    const auto task = pool.submit(setting_here);
    CHECK_THROWS_AS(task.result(), rankpool::broken_pool);
    CHECK_THROWS_WITH(task.result(), containing(std::string(large, 'x')));
  }
  check_cluster_computes();
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

TEST_CASE("a failing initializer breaks the pool: pending futures say why, later submits throw, nothing hangs",
          "[initializer/pending][initializer/later][initializer/no-hang][initializer/next][fault]") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    std::vector<rankpool::future<int>> tasks;
    try {
      for (int i = 0; i < 20; ++i) tasks.push_back(pool.submit(square, i));
    } catch (const rankpool::broken_pool&) {
      // The first task may break the pool before the last is submitted.
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

TEST_CASE("a failing initializer breaks a map that is being read", "[initializer/no-hang][initializer/next][fault]") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    auto results = pool.map(square, numbers(20));
    CHECK_THROWS_AS(collect(results), rankpool::broken_pool);
  }
  check_cluster_computes();
}

TEST_CASE("an initializer that fails on only one worker also breaks the pool",
          "[initializer/pending][initializer/later][initializer/no-hang][initializer/next][fault]") {
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

TEST_CASE("the initializer of an executor without tasks does not run", "[initializer/next][fault]") {
  {
    rankpool::executor pool(cluster(), {.initializer = fail_to_initialize});
    pool.shutdown();
  }
  { rankpool::executor pool(cluster(), {.initializer = fail_to_initialize}); }
  check_cluster_computes();
}

TEST_CASE("an initializer that fails while a map still reads its input ends the map with broken_pool",
          "[initializer/no-hang][fault]") {
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

TEST_CASE("tasks submitted while the initializer fails all fail", "[initializer/pending][fault]") {
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
