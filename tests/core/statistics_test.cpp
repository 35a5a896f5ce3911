// The counters behind cluster::statistics(), with a worker that is lost.
#include "dispatcher/statistics.hpp"
#include "support/catch.hpp"
#include "support/counting_job.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;

struct fixture {
  void finish(int worker, std::uint64_t tasks, std::chrono::nanoseconds taken) {
    outcome result;
    result.taken = taken;
    counters.on_finished({work, 0, tasks, worker}, result);
  }

  const std::vector<rankpool::worker_info> workers{{3, "node", 1}, {5, "node", 2}};
  support::counting_job work{1};
  statistics_observer counters{workers, nullptr};
};

/// Sleeps, so that figures which depend on the time would change.
void let_time_pass() { std::this_thread::sleep_for(5ms); }

}  // namespace

TEST_CASE("the figures of a lost worker remain") {
  fixture f;
  let_time_pass();
  f.finish(0, 4, 2ms);
  f.finish(1, 1, 1ms);
  f.counters.on_cpu_time({0}, 700);
  f.counters.on_message_sent({0}, 10);
  f.counters.on_message_received({0}, 20);
  f.counters.on_started({f.work, 0, 1, 0});
  let_time_pass();
  f.counters.on_lost({3, "node"}, "has ended", 1);
  const auto lost = f.counters.of_each().at(0);
  CHECK(lost.rank == 3);
  CHECK(lost.tasks == 4);
  CHECK(lost.busy >= 7ms);  // with the task that it ran until then
  CHECK(lost.cpu_time == 700ns);
  CHECK(lost.bytes_sent == 10);
  CHECK(lost.bytes_received == 20);

  let_time_pass();
  const auto later = f.counters.of_each();
  CHECK(later.at(0).busy == lost.busy);
  CHECK(later.at(0).idle == lost.idle);
  CHECK(later.at(0).tasks == lost.tasks);
  CHECK(later.at(1).busy == 1ms);
  CHECK(later.at(1).idle >= 14ms);
  const auto all = f.counters.of_all();
  CHECK(all.tasks == 5);
  CHECK(all.busy == later.at(0).busy + later.at(1).busy);
  CHECK(all.workers_lost == 1);
  CHECK(all.tasks_lost == 1);
  CHECK(all.uptime >= 15ms);
}

TEST_CASE("a reported task counts as busy time until it has finished") {
  fixture f;
  f.counters.on_started({f.work, 0, 1, 1});
  let_time_pass();
  CHECK(f.counters.of_each().at(1).busy >= 5ms);
  CHECK(f.counters.of_each().at(0).busy == 0ms);
  f.finish(1, 1, 6ms);
  CHECK(f.counters.of_each().at(1).busy <= 6ms);
}

TEST_CASE("a task that ends without an answer of its worker does not count any longer") {
  fixture f;
  f.counters.on_started({f.work, 0, 1, 1});
  f.counters.on_abandoned({f.work, 0, 1, 1});
  let_time_pass();
  CHECK(f.counters.of_each().at(1).busy == 0ms);
  CHECK(f.counters.of_each().at(1).tasks == 0);
}
