// Unit tests of the dispatcher: the test creates events and messages, and an observer records what happens to the chunks.
#include "dispatcher/dispatcher.hpp"
#include "support/catch.hpp"
#include "support/counting_job.hpp"
#include "support/scripted_transport.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;

steady_time simulated_time;

/// Records the events in order.
class noting_observer final : public dispatch_observer {
 public:
  void on_sent(const observed_chunk& chunk) override { note("sent", chunk.count, chunk.worker); }
  void on_started(const observed_chunk& chunk) override { note("started", chunk.count, chunk.worker); }
  void on_finished(const observed_chunk& chunk, outcome& result) override {
    note(result.what == outcome::kind::threw ? "threw" : "finished", chunk.count, chunk.worker);
  }
  void on_recalled(const observed_chunk& chunk) override { note("recalled", chunk.count, chunk.worker); }
  void on_abandoned(const observed_chunk& chunk) override { note("abandoned", chunk.count, chunk.worker); }
  void on_cpu_time(worker_index where, std::uint64_t nanoseconds) override { note("cpu", nanoseconds, where.value); }

  std::vector<std::string> take() { return std::exchange(notes_, {}); }

 private:
  void note(const char* what, std::uint64_t number, int worker) {
    notes_.push_back(std::string(what) + ' ' + std::to_string(number) + " on " + std::to_string(worker));
  }

  std::vector<std::string> notes_;
};

struct fixture {
  fixture() {
    auto opened = std::make_unique<executor_opened>();
    opened->executor = 1;
    opened->max_workers = 1;
    events.post(std::move(opened));
  }

  void submit(std::uint64_t items = 1) {
    auto work = make_job<support::counting_job>(items, items);
    work->schedule.executor = 1;
    events.post(job_submitted{std::move(work)});
  }

  support::scripted_transport link;
  inbox events;
  lifecycle life;
  announcer waiting;
  noting_observer observer;
  const std::vector<rankpool::worker_info> workers{{3, "node", 1}};
  dispatcher d{link, events, life, waiting, observer, workers, {.now = [] { return simulated_time; }}};
};

using notes = std::vector<std::string>;

}  // namespace

TEST_CASE("the observer gets the events of every chunk in order") {
  fixture f;
  f.submit();
  f.d.step();
  CHECK(f.observer.take() == notes{"sent 1 on 0"});

  frame_writer said;
  said.result(1, false, 1000, {});
  said.usage(77);
  f.link.arrive(0, said.take());
  f.d.step();
  CHECK(f.observer.take() == notes{"finished 1 on 0", "cpu 77 on 0"});

  f.submit(2);
  f.submit(3);
  f.d.step();
  CHECK(f.observer.take() == notes{"sent 2 on 0", "sent 3 on 0"});

  simulated_time += 1s;  // the worker is stuck: recalled tasks must not be sent to it again
  said.started(2);
  said.recalled({3});
  f.link.arrive(0, said.take());
  f.d.step();
  CHECK(f.observer.take() == notes{"started 2 on 0", "recalled 3 on 0"});

  said.result(2, true, 1000, {});
  f.link.arrive(0, said.take());
  f.d.step();
  CHECK(f.observer.take() == notes{"threw 2 on 0", "sent 3 on 0"});
}

TEST_CASE("the observer gets the events of chunks that end without a reply of their worker") {
  fixture f;
  f.submit(2);
  f.d.step();
  CHECK(f.observer.take() == notes{"sent 2 on 0"});
  f.events.post(std::make_unique<end_requested>(nullptr, 0, false));
  f.d.step();
  CHECK(f.observer.take() == notes{"abandoned 2 on 0"});
}

TEST_CASE("no task is sent while sending is paused, and all are sent afterwards") {
  static bool may_send = false;
  fixture f;
  dispatcher d(f.link, f.events, f.life, f.waiting, f.observer, f.workers,
               {.now = [] { return simulated_time; }, .may_send = [] { return may_send; }});
  f.submit();
  d.step();
  CHECK(f.observer.take().empty());
  CHECK(d.next_check(simulated_time) > simulated_time);
  may_send = true;
  d.step();
  CHECK(f.observer.take() == notes{"sent 1 on 0"});
}

TEST_CASE("tasks that still run when the grace period is over are abandoned") {
  fixture f;
  f.life.set_grace_period(10s);
  f.submit();
  f.d.step();
  REQUIRE(f.life.stop_early("enough", simulated_time));
  f.events.post(stop_requested{});
  simulated_time += 9s;
  f.d.step();
  CHECK_FALSE(f.life.has_abandoned_tasks());
  CHECK(f.life.state() == pool_state::stopping);
  simulated_time += 1s;
  f.d.step();
  CHECK(f.life.has_abandoned_tasks());
  CHECK(f.life.state() == pool_state::ending);
}
