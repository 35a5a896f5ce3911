// Unit tests of the dispatcher: the test creates events and messages, and an observer records what happens to the chunks.
#include "dispatcher/dispatcher.hpp"
#include "support/captured_stderr.hpp"
#include "support/catch.hpp"
#include "support/counting_job.hpp"
#include "support/scripted_transport.hpp"
#include "wire/block_description.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
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
  explicit fixture(const std::shared_ptr<executor_listener>& listener = nullptr, int number_of_workers = 1)
      : workers(make_workers(number_of_workers)) {
    auto opened = std::make_unique<executor_opened>();
    opened->listener = listener;
    opened->executor = 1;
    opened->max_workers = number_of_workers;
    events.post(std::move(opened));
  }

  void submit(std::uint64_t items = 1) {
    auto work = make_job<support::counting_job>(items, items);
    work->schedule.executor = 1;
    events.post(job_submitted{std::move(work)});
  }

  static std::vector<rankpool::worker_info> make_workers(int count) {
    std::vector<rankpool::worker_info> all;
    for (int w = 0; w < count; ++w) all.push_back({3 + w, "node", 1});
    return all;
  }

  support::scripted_transport link;
  inbox events;
  lifecycle life;
  announcer waiting;
  noting_observer observer;
  const std::vector<rankpool::worker_info> workers;
  dispatcher d{link, events, life, waiting, observer, workers, {.now = [] { return simulated_time; }}};
};

using notes = std::vector<std::string>;

/// A task that fails in each attempt and asks to run again after a minute.
class retrying_job final : public job {
 public:
  retrying_job(inbox& events, std::uint64_t attempts)
      : job(locate_function(&support::run_nothing), 0), events_(events), left_(attempts) {
    schedule.executor = 1;
    schedule.retries_here = true;
  }

  std::uint64_t available() override { return is_pending_ ? 1 : 0; }
  bool may_grow() override { return is_waiting_; }
  chunk cut(std::uint64_t) override {
    is_pending_ = false;
    return {0, 1, {}, {}, {}};
  }
  bool on_outcome(std::uint64_t, std::uint64_t, outcome&& result) override {
    is_waiting_ = result.what == outcome::kind::threw && --left_ > 0;
    return is_waiting_;
  }
  void react() override { events_.post(std::make_unique<retry_requested>(this, 0, 1min)); }
  void retry(std::uint64_t) override { is_pending_ = std::exchange(is_waiting_, false); }
  bool abandon(const std::exception_ptr& why) override {
    is_waiting_ = is_pending_ = false;
    abandoned = why;
    return false;
  }

  std::exception_ptr abandoned;

 private:
  inbox& events_;
  std::uint64_t left_;
  bool is_pending_ = true;
  bool is_waiting_ = false;
};

/// A task with a block, which it releases when it has its outcome.
class job_with_block final : public job {
 public:
  job_with_block() : job(locate_function(&support::run_nothing), 0) { schedule.executor = 1; }
  std::weak_ptr<block> argument() const { return sent_.front(); }

  std::uint64_t available() override { return is_cut_ ? 0 : 1; }
  bool may_grow() override { return false; }
  chunk cut(std::uint64_t) override {
    is_cut_ = true;
    return {0, 1, {}, sent_, {}};
  }
  bool on_outcome(std::uint64_t, std::uint64_t, outcome&&) override {
    sent_.clear();
    return false;
  }
  bool abandon(const std::exception_ptr&) override { return false; }

 private:
  blocks sent_{held<std::vector<double>>::fresh(80)};
  bool is_cut_ = false;
};

/// Counts the finished jobs of an executor.
struct counting_listener final : executor_listener {
  void on_jobs_finished(std::uint64_t count) override { finished += count; }
  void on_broken(const std::exception_ptr& why) override { broken = why; }
  std::uint64_t finished = 0;
  std::exception_ptr broken;
};

/// The worker returns an exception for its chunk.
void arrive_failure(fixture& f, chunk_id id) {
  frame_writer said;
  said.result(id, true, 1000, {});
  f.link.arrive(0, said.take());
  f.d.step();
}

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

TEST_CASE("a failed task runs again when its delay is over, not before, and is over after its last attempt") {
  const auto listener = std::make_shared<counting_listener>();
  fixture f(listener);
  f.events.post(job_submitted{make_job<retrying_job>(f.events, 2)});
  f.d.step();
  arrive_failure(f, 1);
  CHECK(f.observer.take() == notes{"sent 1 on 0", "threw 1 on 0"});
  f.d.step();  // takes the request of react()
  CHECK(f.d.next_check(simulated_time) == simulated_time + 1min);
  simulated_time += 59s;
  f.d.step();
  CHECK(f.observer.take().empty());
  CHECK(listener->finished == 0);
  simulated_time += 1s;
  f.d.step();
  CHECK(f.observer.take() == notes{"sent 1 on 0"});
  arrive_failure(f, 2);
  CHECK(listener->finished == 1);
  CHECK_FALSE(f.d.next_check(simulated_time));
}

TEST_CASE("an early stop abandons a task that waits for its next attempt, and counts it as left out") {
  const auto listener = std::make_shared<counting_listener>();
  fixture f(listener);
  const auto waiting = make_job<retrying_job>(f.events, 2);
  f.events.post(job_submitted{waiting});
  f.d.step();
  arrive_failure(f, 1);
  f.d.step();
  REQUIRE(f.life.stop_early("enough", simulated_time));
  f.events.post(stop_requested{});
  f.d.step();
  CHECK(waiting->abandoned == f.life.stop_reason());
  CHECK(f.life.has_left_out_work());
  CHECK(listener->finished == 1);
  simulated_time += 1min;
  f.d.step();
  CHECK(f.observer.take() == notes{"sent 1 on 0", "threw 1 on 0"});
}

TEST_CASE("a retry that is requested after a stop is refused") {
  fixture f;
  const auto waiting = make_job<retrying_job>(f.events, 2);
  f.events.post(job_submitted{waiting});
  f.d.step();
  REQUIRE(f.life.stop_early("enough", simulated_time));
  f.events.post(stop_requested{});
  f.d.step();
  arrive_failure(f, 1);
  f.d.step();
  CHECK(waiting->abandoned == f.life.stop_reason());
}

TEST_CASE("the tasks of a lost worker run on another worker, and its late results are ignored") {
  const support::captured_stderr log;
  const auto listener = std::make_shared<counting_listener>();
  fixture f(listener, 2);
  f.submit(2);
  f.d.step();
  CHECK(f.observer.take() == notes{"sent 2 on 0"});
  f.link.lose({0, 11, 0, "was ended by signal 11 (Segmentation fault)"});
  f.d.step();
  CHECK(f.observer.take() == notes{"recalled 2 on 0", "sent 1 on 1"});  // which item was running is not known
  CHECK(f.d.is_lost({0}));
  CHECK_FALSE(f.d.is_lost({1}));
  CHECK(log.text() ==
        "rankpool: rank 3 (node) was lost: its process was ended by signal 11 (Segmentation fault); 2 tasks run again\n");

  frame_writer said;
  said.result(1, false, 1000, {});
  f.link.arrive(0, said.take());
  f.d.step();
  CHECK(f.observer.take().empty());
  CHECK(listener->finished == 0);
  said.result(2, false, 1000, {});
  f.link.arrive(1, said.take());
  f.d.step();
  CHECK(f.observer.take() == notes{"finished 1 on 1", "sent 1 on 1"});
  said.result(3, false, 1000, {});
  f.link.arrive(1, said.take());
  f.d.step();
  CHECK(f.observer.take() == notes{"finished 1 on 1"});
  CHECK(listener->finished == 1);
}

TEST_CASE("if no worker is left, tasks fail, their executors and later ones are broken, and the pool ends") {
  const support::captured_stderr log;
  const auto listener = std::make_shared<counting_listener>();
  fixture f(listener);
  f.submit();
  f.d.step();
  f.link.lose({0, 9, 0, "was ended by signal 9 (Killed)"});
  f.d.step();
  f.d.step();
  CHECK(listener->finished == 1);
  CHECK(listener->broken != nullptr);

  const auto second = std::make_shared<counting_listener>();
  auto opened = std::make_unique<executor_opened>();
  opened->executor = 2;
  opened->max_workers = 1;
  opened->listener = second;
  f.events.post(std::move(opened));
  f.d.step();
  CHECK(second->broken != nullptr);

  f.events.post(std::make_unique<end_requested>(nullptr, 0, false));
  f.d.step();
  CHECK(f.life.state() == pool_state::ended);
}

TEST_CASE("the blocks of a task that runs when the pool ends live until the pool does, because its worker may read them") {
  std::weak_ptr<block> argument;
  {
    fixture f;
    auto work = make_job<job_with_block>();
    argument = work->argument();
    f.events.post(job_submitted{std::move(work)});
    f.d.step();
    f.events.post(std::make_unique<end_requested>(nullptr, 0, false));
    f.d.step();
    CHECK_FALSE(argument.expired());
  }
  CHECK(argument.expired());
}

TEST_CASE("a task whose result was still in its process when that ended has failed") {
  fixture f;
  f.submit();
  f.d.step();
  CHECK(f.observer.take() == notes{"sent 1 on 0"});
  frame_writer said;
  const block_description gone{.bytes = 8, .maker = locate_function(&held<std::vector<double>>::fresh), .pid = 1, .address = 1};
  said.result(1, false, 1000, {}, blocks{std::make_shared<remote_block>(gone)});
  f.link.arrive(0, said.take());
  f.d.step();
  CHECK(f.observer.take() == notes{"threw 1 on 0"});
}

TEST_CASE("the pool ends although a worker is lost before it has confirmed its end") {
  const support::captured_stderr log;
  fixture f(nullptr, 2);
  f.events.post(std::make_unique<end_requested>(nullptr, 0, false));
  f.d.step();
  frame_writer said;
  said.stopped();
  f.link.arrive(1, said.take());
  f.d.step();
  CHECK(f.life.state() == pool_state::ending);
  f.link.lose({1, 0, 0, "exited with status 0"});  // its process ends after it has confirmed
  f.d.step();
  CHECK(f.life.state() == pool_state::ending);
  CHECK(log.text().empty());
  f.link.lose({0, 9, 0, "was ended by signal 9 (Killed)"});
  f.d.step();
  CHECK(f.life.state() == pool_state::ended);
}
