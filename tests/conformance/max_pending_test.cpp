// max_pending: submit blocks while too many tasks of the executor are unfinished.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace support;

namespace {

/// Calls `submit` on its own thread, and records whether it has returned and what it threw.
class submitter {
 public:
  template <class Submit>
  explicit submitter(Submit submit)
      : thread_([this, submit] {
          try {
            submit();
          } catch (...) {
            error_ = std::current_exception();
          }
          returned_ = true;
        }) {}
  ~submitter() {
    if (thread_.joinable()) thread_.join();
  }
  submitter(const submitter&) = delete;
  submitter& operator=(const submitter&) = delete;

  bool has_returned() const { return returned_; }
  /// Blocks until `submit` has returned. Rethrows its exception.
  void join() {
    thread_.join();
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

 private:
  std::atomic<bool> returned_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("with max_pending, at most that many tasks are unfinished, and all tasks run", "[pending/limit]") {
  for (const std::size_t most : {1, 2, 7}) {
    rankpool::executor pool(cluster(), {.max_pending = most});
    std::vector<rankpool::future<int>> tasks;
    for (int i = 0; i < 300; ++i) {
      tasks.push_back(pool.submit(square, i));
      std::size_t unfinished = 0;
      for (const auto& task : tasks) unfinished += task.done() ? 0 : 1;
      CHECK(unfinished <= most);
    }
    for (int i = 0; i < 300; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == i * i);
  }
}

TEST_CASE("a task that has failed or was cancelled makes room for the next", "[pending/room][fault]") {
  rankpool::executor pool(cluster(), {.max_pending = 2});
  for (int i = 0; i < 20; ++i) {
    pool.submit(fail, "as it should");
    (void)pool.submit(square, i).cancel();
  }
  check_computes(pool);
}

TEST_CASE("submit waits for room, and continues when a task is done", "[pending/wakes][ranks]") {
  rankpool::executor pool(cluster(), {.max_pending = 2});
  gate gate;
  auto first = pool.submit(pass, gate.path(), 1);
  auto second = pool.submit(pass, gate.path(), 2);
  rankpool::future<int> third;
  submitter waits([&] { third = pool.submit(square, 3); });
  SECTION("because one has returned") { gate.open(); }
  SECTION("because one was cancelled") {
    if (!second.cancel()) gate.open();  // cancel fails if a second worker already runs the task
  }
  waits.join();
  gate.open();
  CHECK(third.result() == 9);
  CHECK(first.result() == 1);
}

TEST_CASE("submit does not return while there is no room", "[ranks]") {
  rankpool::executor pool(cluster(), {.max_pending = 1});
  const scratch_directory scratch;
  gate gate;
  auto held = pool.submit(mark_and_pass, scratch.file("begun"), gate.path(), 1);
  std::atomic<int> accepted = 0;
  submitter waits([&] {
    for (int i = 0; i < 3; ++i) {
      (void)pool.submit(leave_mark, scratch.file(std::to_string(i)));
      ++accepted;
    }
  });
  REQUIRE(eventually([&] { return scratch.files() == 1; }));
  rankpool::executor other(cluster());
  if (workers() > 1) CHECK(collect(other.map(square, numbers(200))) == squares(200));  // long enough for an excess submit to return
  CHECK(accepted == 0);
  gate.open();
  waits.join();
  CHECK(held.result() == 1);
}

TEST_CASE("a submit that waits for room throws pool_closed on shutdown", "[pending/shutdown][ranks][fault]") {
  {
    rankpool::executor pool(cluster(), {.max_pending = 1});
    gate gate;
    auto held = pool.submit(pass, gate.path(), 1);
    submitter waits([&] { (void)pool.submit(square, 2); });
    pool.shutdown({.wait = false});
    CHECK_THROWS_AS(waits.join(), rankpool::pool_closed);
    gate.open();
    CHECK(held.result() == 1);
  }
  check_cluster_computes();
}

TEST_CASE("a submit that waits for room throws broken_pool when the initializer fails", "[fault]") {
  {
    rankpool::executor pool(cluster(), {.initializer = [] { throw std::runtime_error("no licence"); }, .max_pending = 2});
    const auto submit_on = [&] {
      for (int i = 0; i < 100; ++i) (void)pool.submit(square, i);
    };
    CHECK_THROWS_AS(submit_on(), rankpool::broken_pool);
  }
  check_cluster_computes();
}

TEST_CASE("callbacks that submit do not block, whatever max_pending is", "[pending/callbacks]") {
  std::atomic<int> left = 200;
  std::atomic<int> done = 0;
  {
    rankpool::executor pool(cluster(), {.max_pending = 1});
    std::function<void(const rankpool::future<int>&)> again = [&](const rankpool::future<int>&) {
      ++done;
      for (int i = 0; i < 2; ++i) {
        if (left.fetch_sub(1) > 0) pool.submit(square, 1).add_done_callback(again);
      }
    };
    pool.submit(square, 1).add_done_callback(again);
    for (int i = 0; i < 50; ++i) (void)pool.submit(square, i);  // meanwhile, this thread waits for room
    CHECK(eventually([&] {
      (void)pool.submit(square, 0);
      return done == 201;
    }));
  }
  CHECK(done == 201);
}

TEST_CASE("several threads may submit with max_pending") {
  rankpool::executor pool(cluster(), {.max_pending = 3});
  std::atomic<int> sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 1; i <= 200; ++i) sum += pool.submit(identity, i).result();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(sum == 4 * 200 * 201 / 2);
}

TEST_CASE("maps and run_everywhere do not count as pending tasks", "[pending/maps]") {
  rankpool::executor pool(cluster(), {.max_pending = 1});
  int sum = 0;
  for (const int n : pool.map({.buffersize = 5}, square, numbers(50))) sum += pool.submit(identity, n).result();
  CHECK(sum == 49 * 50 * 99 / 6);
  pool.run_everywhere(nothing);
  check_computes(pool);
}
