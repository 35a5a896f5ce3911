// The statistics of the cluster and of each worker. All tests of the program share the cluster, so they compare figures before and
// after their tasks.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <cstdint>
#include <ctime>
#include <exception>
#include <vector>

using namespace support;

namespace {

using nanoseconds = std::chrono::nanoseconds;

std::vector<rankpool::worker_statistics> now() { return cluster().worker_statistics(); }

template <class Value>
Value sum(const std::vector<rankpool::worker_statistics>& workers, Value rankpool::worker_statistics::*member) {
  Value all{};
  for (const auto& each : workers) all += each.*member;
  return all;
}

template <class Value>
Value growth(const std::vector<rankpool::worker_statistics>& before, const std::vector<rankpool::worker_statistics>& after,
             Value rankpool::worker_statistics::*member) {
  return sum(after, member) - sum(before, member);
}

nanoseconds cpu_time_of_thread() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + nanoseconds(used.tv_nsec);
}

int compute_for(std::chrono::milliseconds time) {
  const nanoseconds end = cpu_time_of_thread() + time;
  int rounds = 0;
  while (cpu_time_of_thread() < end) ++rounds;
  return rounds;
}

std::vector<char> second_half(const std::vector<char>& text) {
  return {text.begin() + static_cast<std::ptrdiff_t>(text.size() / 2), text.end()};
}

}  // namespace

TEST_CASE("the tasks and times of the workers are those of the tasks that ran", "[statistics/sum]") {
  constexpr int submitted = 20;
  constexpr int items = 20;
  constexpr auto each = 2ms;
  rankpool::executor pool(cluster());
  const auto before = now();
  const auto all_before = cluster().statistics();
  for (int i = 0; i < submitted; ++i) (void)pool.submit(take, std::chrono::microseconds(each), i).result();
  CHECK(collect(pool.map({.chunksize = 3}, rankpool::partial(take, std::chrono::microseconds(each)), numbers(items))) ==
        numbers(items));
  const auto all = cluster().statistics();
  const auto after = now();

  REQUIRE(after.size() == static_cast<std::size_t>(workers()));
  CHECK(growth(before, after, &rankpool::worker_statistics::tasks) == submitted + items);
  CHECK(all.tasks - all_before.tasks == submitted + items);
  CHECK(all.uptime >= all_before.uptime + submitted * each);
  const nanoseconds busy = growth(before, after, &rankpool::worker_statistics::busy);
  CHECK(busy == all.busy - all_before.busy);
  CHECK(busy >= (submitted + items) * each);
  CHECK(busy <= workers() * (all.uptime - all_before.uptime));
}

TEST_CASE("the time of each worker is divided into busy and idle", "[statistics/sum]") {
  const auto infos = cluster().workers();
  const auto uptime = cluster().statistics().uptime;
  const auto each = now();
  const auto later = cluster().statistics().uptime;
  REQUIRE(each.size() == infos.size());
  for (std::size_t w = 0; w < each.size(); ++w) {
    CHECK(each[w].rank == infos[w].rank);
    CHECK(each[w].busy + each[w].idle >= uptime);
    CHECK(each[w].busy + each[w].idle <= later);
  }
}

TEST_CASE("each worker has the figures of the tasks that it ran", "[statistics/sum]") {
  rankpool::executor pool(cluster());
  const auto before = now();
  const auto ranks = pool.run_everywhere(rank_of_worker);
  const auto after = now();
  REQUIRE(ranks.size() == after.size());
  for (std::size_t w = 0; w < after.size(); ++w) {
    CHECK(after[w].tasks - before[w].tasks == 1);
    CHECK(after[w].bytes_sent > before[w].bytes_sent);
    CHECK(after[w].bytes_received > before[w].bytes_received);
  }
}

TEST_CASE("a running task counts as busy time", "[statistics/running][ranks]") {
  gate stop;
  rankpool::executor pool(cluster());
  const auto before = now();
  const auto task = pool.submit(pass, stop.path(), 1);
  const auto busy = [&] { return growth(before, now(), &rankpool::worker_statistics::busy); };
  CHECK(eventually([&] { return busy() > 50ms; }));
  CHECK(growth(before, now(), &rankpool::worker_statistics::tasks) == 0);
  stop.open();
  CHECK(task.result() == 1);
  const auto finished = now();
  CHECK(growth(before, finished, &rankpool::worker_statistics::tasks) == 1);
  CHECK(growth(before, finished, &rankpool::worker_statistics::busy) > 50ms);
}

TEST_CASE("the CPU time of a worker includes that of its tasks", "[statistics/cpu][ranks][processes]") {
  rankpool::executor pool(cluster());
  const auto before = now();
  const auto all_before = cluster().statistics();
  CHECK(pool.submit(compute_for, 30ms).result() > 0);
  const auto after = now();
  CHECK(growth(before, after, &rankpool::worker_statistics::cpu_time) >= 29ms);
  CHECK(cluster().statistics().cpu_time - all_before.cpu_time >= 29ms);
  CHECK(sum(after, &rankpool::worker_statistics::cpu_time) == cluster().statistics().cpu_time);
}

TEST_CASE("messages and bytes include arguments and results", "[statistics/bytes]") {
  constexpr std::size_t size = 4'000'000;
  rankpool::executor pool(cluster());
  const auto before = now();
  const auto all_before = cluster().statistics();
  CHECK(pool.submit(second_half, std::vector<char>(size)).result().size() == size / 2);
  const auto all = cluster().statistics();
  const auto after = now();
  CHECK(all.messages_sent > all_before.messages_sent);
  CHECK(all.messages_received > all_before.messages_received);
  const std::uint64_t sent = growth(before, after, &rankpool::worker_statistics::bytes_sent);
  const std::uint64_t received = growth(before, after, &rankpool::worker_statistics::bytes_received);
  CHECK(sent >= size);
  CHECK(sent < size + size / 10);
  CHECK(received >= size / 2);
  CHECK(received < size / 2 + size / 10);
  CHECK(all.bytes_sent - all_before.bytes_sent >= size);
  CHECK(all.bytes_received - all_before.bytes_received >= size / 2);
}

TEST_CASE("repeated attempts are counted", "[statistics/retries][fault]") {
  rankpool::executor pool(cluster());
  const auto before = cluster().statistics();
  const auto always = [](const std::exception_ptr&) { return true; };
  CHECK_THROWS(pool.submit({.retries = 2, .retry_if = always}, fail, "always").result());
  const auto after = cluster().statistics();
  CHECK(after.retries - before.retries == 2);
  CHECK(after.tasks - before.tasks == 3);
  check_computes(pool);
}
