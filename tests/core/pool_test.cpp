// The pool on rank 0 with workers that the test simulates.
#include "dispatcher/pool.hpp"
#include "support/catch.hpp"
#include "support/scripted_transport.hpp"
#include "worker/inline_transport.hpp"

#include <rankpool/executor.hpp>
#include <rankpool/wait.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;

std::shared_ptr<pool> make_pool(std::unique_ptr<transport> link, scheduling_policy scheduling = {}) {
  return std::make_shared<pool>(std::move(link), std::vector<rankpool::worker_info>{{3, "node", 1}},
                                pool_options{.progress_thread = false, .scheduling = scheduling});
}

/// Returns the error of a future after `happen`, which is called with the transport of the worker on rank 3.
template <class Happen>
std::string failure_after(Happen happen) {
  auto link = std::make_unique<support::scripted_transport>();
  support::scripted_transport& worker = *link;
  const auto p = make_pool(std::move(link));
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  const auto task = executor.submit([](int n) { return n; }, 1);
  happen(worker);
  try {
    (void)task.result(5s);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing";
}

/// Returns the error of a future after the worker has sent the records that `say` writes.
template <class Say>
std::string failure_after_message(Say say) {
  return failure_after([&](support::scripted_transport& worker) {
    frame_writer out;
    say(out);
    worker.arrive(0, out.take());
  });
}

/// A worker that runs nothing and records the tasks that it is sent.
class noting_worker final : public support::scripted_transport {
 public:
  void finish(std::uint64_t task) {
    frame_writer out;
    byte_buffer bytes;
    byte_writer(bytes).put<int>(0);
    out.result(task, false, 1000, std::move(bytes));
    arrive(0, out.take());
  }

  std::vector<std::uint64_t> tasks;
  std::vector<std::uint32_t> closed;

 private:
  void on_sent(const record& r) override {
    if (const auto* task = std::get_if<task_record>(&r)) tasks.push_back(task->id);
    if (const auto* close = std::get_if<close_record>(&r)) closed.push_back(close->executor);
  }
};

rankpool::executor* reachable = nullptr;  // a task that runs in this process can use it

int submit_more(int n) {
  return reachable->submit([](int m) { return m; }, n).result();
}

}  // namespace

TEST_CASE("a record that only a worker expects fails all futures, with its name and its sender") {
  const std::string why = failure_after_message([](frame_writer& out) { out.close(1); });
  CHECK_THAT(why, support::containing("'close'"));
  CHECK_THAT(why, support::containing("rank 3"));
}

TEST_CASE("a worker that stops without a request is named") {
  CHECK_THAT(failure_after_message([](frame_writer& out) { out.stopped(); }), support::containing("rank 3 has stopped"));
}

TEST_CASE("a worker that has lost its descriptors is named") {
  const std::string why = failure_after([](support::scripted_transport& worker) { worker.lose_descriptors(0); });
  CHECK_THAT(why, support::containing("a task on rank 3 ("));
  CHECK_THAT(why, support::containing("closed file descriptors"));
}

TEST_CASE("a result of an unknown task is ignored") {
  auto link = std::make_unique<support::scripted_transport>();
  support::scripted_transport& worker = *link;
  const auto p = make_pool(std::move(link));
  frame_writer out;
  out.result(77, false, 1, {});
  worker.arrive(0, out.take());
  CHECK_NOTHROW(p->room().poll());
  CHECK_FALSE(p->life().has_ended());
}

TEST_CASE("a failed pool takes no tasks, and no thread waits for it") {
  auto link = std::make_unique<support::scripted_transport>();
  support::scripted_transport& worker = *link;
  const auto p = make_pool(std::move(link));
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  frame_writer out;
  out.recall();
  worker.arrive(0, out.take());
  p->room().poll();
  CHECK_THROWS_AS(executor.submit([] {}), rankpool::pool_closed);
  executor.shutdown();
  CHECK_FALSE(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("an executor that is shut down is closed on its workers once its tasks have finished, although a future is kept") {
  auto link = std::make_unique<noting_worker>();
  noting_worker& worker = *link;
  const auto p = make_pool(std::move(link));
  rankpool::cluster cluster = cluster_access::make(p);
  std::optional<rankpool::executor> executor(cluster);
  const auto kept = executor->submit([](int n) { return n; }, 1);
  p->room().poll();
  REQUIRE(worker.tasks.size() == 1);
  executor->shutdown({.wait = false});
  p->room().poll();
  CHECK(worker.closed.empty());
  worker.finish(worker.tasks[0]);
  p->room().poll();
  p->room().poll();
  CHECK(worker.closed.size() == 1);
  CHECK(kept.result(5s) == 0);
}

TEST_CASE("tasks that a worker has returned are pending again, and cancelled with those that were never sent") {
  auto link = std::make_unique<noting_worker>();
  noting_worker& worker = *link;
  const auto p = make_pool(std::move(link));
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  const auto same = [](int n) { return n; };
  const auto first = executor.submit(same, 1);  // shows that these tasks are short, so that others are prefetched
  p->room().poll();
  worker.finish(worker.tasks.at(0));
  p->room().poll();
  const auto running = executor.submit(same, 2);
  const auto prefetched = executor.submit(same, 3);
  p->room().poll();
  REQUIRE(worker.tasks.size() == 3);
  REQUIRE(prefetched.running());
  frame_writer out;
  out.recalled({worker.tasks[2]});
  worker.arrive(0, out.take());
  SECTION("by the executor's end") {
    executor.shutdown({.wait = false, .cancel_futures = true});
    p->room().poll();
    p->room().poll();
    CHECK(prefetched.cancelled());
  }
  CHECK(running.running());
  CHECK(worker.tasks.size() == 3);
  worker.finish(worker.tasks[1]);
  p->room().poll();
  CHECK(running.done());
  executor.shutdown({.wait = false, .cancel_futures = true});
  CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 0s) == false);
}

TEST_CASE("a future that another thread cancels is done when shutdown() returns") {
  const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}), {.max_chunks = 1});
  rankpool::cluster cluster = cluster_access::make(p);
  for (int i = 0; i < 5000; ++i) {
    rankpool::executor executor(cluster);
    auto task = executor.submit([](int n) { return n; }, 1);
    std::atomic<bool> go = false;
    std::thread other([&] {
      while (!go) {
      }
      (void)task.cancel();
    });
    go = true;
    executor.shutdown();
    const bool done = task.done();
    other.join();
    REQUIRE(done);
  }
  CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("a pool that has ended is freed with its last handle, whatever was destroyed in between") {
  std::weak_ptr<pool> seen;
  {
    const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
    seen = p;
    rankpool::cluster cluster = cluster_access::make(p);
    std::optional<rankpool::executor> executor(cluster);
    auto results = executor->map([](int n) { return n; }, std::vector{1, 2, 3});
    auto task = executor->submit([](int n) { return n; }, 1);
    CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed("over")), 5s));
    CHECK_THROWS_AS(executor->submit([] {}), rankpool::pool_closed);
    (void)task.cancel();
    executor.reset();
  }
  CHECK(seen.expired());
}

TEST_CASE("futures of two pools in one process can be waited for together") {
  const auto one = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
  const auto two = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
  rankpool::cluster first = cluster_access::make(one);
  rankpool::cluster second = cluster_access::make(two);
  {
    rankpool::executor here(first);
    rankpool::executor there(second);
    const auto square = [](int n) { return n * n; };
    std::vector tasks{here.submit(square, 1), there.submit(square, 2), here.submit(square, 3), there.submit(square, 4)};
    CHECK(rankpool::wait(tasks, rankpool::return_when::all_completed, 5s).done.size() == 4);
    std::vector more{here.submit(square, 1), there.submit(square, 2)};
    int sum = 0;
    for (const auto& task : rankpool::as_completed(more, 5s)) sum += task.result();
    CHECK(sum == 5);
  }
  for (const auto& p : {one, two}) CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("draining a pool does not wait for a map whose results are not read") {
  const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  auto results = executor.map(
      {.buffersize = 2}, [](int n) { return n; }, std::views::iota(0));
  CHECK(*results.begin() == 0);
  p->drain();
  CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("submit in a task that runs inline is an error") {
  const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
  rankpool::cluster cluster = cluster_access::make(p);
  {
    rankpool::executor executor(cluster);
    reachable = &executor;
    CHECK_THROWS_WITH(executor.submit(submit_more, 1).result(5s), support::containing("a task cannot give tasks"));
    CHECK(executor.submit([](int n) { return n; }, 5).result(5s) == 5);
  }
  CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("a task that still runs when the grace period is over fails with the reason of the stop") {
  const auto p = make_pool(std::make_unique<support::scripted_transport>());  // its worker never answers
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  const auto runs = executor.submit([](int n) { return n; }, 1);
  const auto waits = executor.submit([](int n) { return n; }, 2);
  p->room().poll();
  REQUIRE(runs.running());
  p->life().set_grace_period(0ns);
  CHECK_FALSE(p->life().has_left_out_work());
  cluster.stop("enough");
  CHECK(p->life().is_stopped_early());
  CHECK_THROWS_WITH(runs.result(5s), "enough");
  CHECK_THROWS_WITH(waits.result(5s), "enough");
  CHECK(p->life().has_abandoned_tasks());
  CHECK(p->life().has_left_out_work());
  CHECK_THROWS_AS(executor.submit([] {}), rankpool::stopped_error);
  CHECK_THROWS_AS(rankpool::executor(cluster), rankpool::stopped_error);
}

TEST_CASE("a stop after all tasks have run leaves no work undone") {
  const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
  rankpool::cluster cluster = cluster_access::make(p);
  {
    rankpool::executor executor(cluster);
    CHECK(executor.submit([](int n) { return n; }, 5).result(5s) == 5);
    cluster.stop("enough");
  }
  p->drain();
  CHECK_FALSE(p->life().has_left_out_work());
  CHECK_FALSE(p->life().has_abandoned_tasks());
  CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("items of a map that did not run because of a stop count as work left undone") {
  const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}), {.max_chunks = 1});
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  SECTION("of those submitted") {
    auto results = executor.map(
        {.chunksize = 1}, [](int n) { return n; }, std::vector{1, 2, 3});
    CHECK(*results.begin() == 1);
    cluster.stop("enough");
    executor.shutdown();
    CHECK(p->life().has_left_out_work());
  }
  SECTION("of those still to be read") {
    auto results = executor.map(
        {.buffersize = 1}, [](int n) { return n; }, std::views::iota(0, 3));
    cluster.stop("enough");
    int errors = 0;
    for (auto i = results.begin(); i != results.end(); ++i) {
      try {
        (void)*i;
      } catch (const rankpool::stopped_error&) {
        ++errors;
      }
    }
    CHECK(errors > 0);
    CHECK(p->life().has_left_out_work());
  }
  CHECK(p->end(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}
