// The pool on rank 0 with workers that say what the test wants.
#include "core/inline_transport.hpp"
#include "core/pool.hpp"
#include "support/catch.hpp"
#include "support/scripted_transport.hpp"

#include <rankpool/executor.hpp>
#include <rankpool/wait.hpp>

#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;

constexpr pool_options inline_options{.progress_thread = false};

std::shared_ptr<pool> make_pool(std::unique_ptr<transport> link) {
  return std::make_shared<pool>(std::move(link), std::vector<rankpool::worker_info>{{3, "node", 1}}, inline_options);
}

/// What a future fails with after a worker has sent `said`.
template <class Say>
std::string failure_after(Say say) {
  auto link = std::make_unique<support::scripted_transport>();
  support::scripted_transport& worker = *link;
  const auto p = make_pool(std::move(link));
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  const auto task = executor.submit([](int n) { return n; }, 1);
  frame_writer out;
  say(out);
  worker.arrive(0, out.take());
  try {
    (void)task.result(5s);
  } catch (const std::exception& e) {
    return e.what();
  }
  return "nothing";
}

rankpool::executor* reachable = nullptr;  // as it is for a task that runs in this process

int submit_more(int n) { return reachable->submit([](int m) { return m; }, n).result(); }

}  // namespace

TEST_CASE("a message that only a worker expects is named with its sender, and every future says so") {
  const std::string why = failure_after([](frame_writer& out) { out.close(1); });
  CHECK_THAT(why, support::containing("'close'"));
  CHECK_THAT(why, support::containing("rank 3"));
}

TEST_CASE("a worker that stops without being asked is named") {
  CHECK_THAT(failure_after([](frame_writer& out) { out.stopped(); }), support::containing("rank 3 has stopped"));
}

TEST_CASE("a result of a task that nobody gave is passed over") {
  auto link = std::make_unique<support::scripted_transport>();
  support::scripted_transport& worker = *link;
  const auto p = make_pool(std::move(link));
  frame_writer out;
  out.result(77, false, 1, {});
  worker.arrive(0, out.take());
  CHECK_NOTHROW(p->poll());
  CHECK_FALSE(p->ended());
}

TEST_CASE("a pool that has failed takes no more tasks, and nobody waits for it") {
  auto link = std::make_unique<support::scripted_transport>();
  support::scripted_transport& worker = *link;
  const auto p = make_pool(std::move(link));
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  frame_writer out;
  out.recall();
  worker.arrive(0, out.take());
  p->poll();
  CHECK_THROWS_AS(executor.submit([] {}), rankpool::pool_closed);
  executor.shutdown();
  CHECK_FALSE(p->stop(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("a pool that has ended is freed with the last handle on it, whatever was dropped in between") {
  std::weak_ptr<pool> seen;
  {
    const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
    seen = p;
    rankpool::cluster cluster = cluster_access::make(p);
    std::optional<rankpool::executor> executor(cluster);
    auto results = executor->map([](int n) { return n; }, std::vector{1, 2, 3});
    auto task = executor->submit([](int n) { return n; }, 1);
    CHECK(p->stop(0, std::make_exception_ptr(rankpool::pool_closed("over")), 5s));
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
  for (const auto& p : {one, two}) CHECK(p->stop(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("a pool that is drained does not wait for a map that nobody reads on") {
  const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
  rankpool::cluster cluster = cluster_access::make(p);
  rankpool::executor executor(cluster);
  auto results = executor.map({.buffersize = 2}, [](int n) { return n; }, std::views::iota(0));
  CHECK(*results.begin() == 0);
  p->drain();
  CHECK(p->stop(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}

TEST_CASE("a task that submits in its own process is told that it cannot") {
  const auto p = make_pool(std::make_unique<inline_transport>(worker_place{0, "here"}));
  rankpool::cluster cluster = cluster_access::make(p);
  {
    rankpool::executor executor(cluster);
    reachable = &executor;
    CHECK_THROWS_WITH(executor.submit(submit_more, 1).result(5s), support::containing("a task cannot give tasks"));
    CHECK(executor.submit([](int n) { return n; }, 5).result(5s) == 5);
  }
  CHECK(p->stop(0, std::make_exception_ptr(rankpool::pool_closed()), 5s));
}
