// retries, retry_if and backoff: which failed tasks and items run again, how often, and when.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <future>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace support;

namespace {

/// Returns the number of this call among those with this directory.
int count_call(const std::string& directory) {
  int calls = 1;
  while (!leave_mark(directory + "/" + std::to_string(calls))) ++calls;
  return calls;
}

/// Throws in the first `times` calls with this directory, then returns the number of calls.
int fail_first(const std::string& directory, int times) {
  const int calls = count_call(directory);
  if (calls <= times) throw std::runtime_error("call " + std::to_string(calls));
  return calls;
}

int abort_first(const std::string& directory, int times) {
  const int calls = count_call(directory);
  if (calls <= times) std::abort();
  return calls;
}

double sum_unless_first(const std::string& directory, std::vector<double> values) {
  double sum = 0;
  for (const double v : std::exchange(values, {})) sum += v;
  if (count_call(directory) == 1) throw std::runtime_error("first call");
  return sum;
}

/// Throws in the first call for each multiple of 3 and returns the square otherwise. Leaves a mark for every call.
int square_at_last(const std::string& directory, int n) {
  const std::string mark = directory + "/" + std::to_string(n);
  const bool is_first = leave_mark(mark);
  if (!is_first && !leave_mark(mark + "-again")) throw std::logic_error("the item runs for the third time");
  if (is_first && n % 3 == 0) throw std::runtime_error("first call");
  return n * n;
}

/// Throws in the first call for each multiple of 3, and returns the square otherwise.
int square_unless_first(const std::string& directory, int n) {
  if (n % 3 == 0 && leave_mark(directory + "/" + std::to_string(n))) throw std::runtime_error("first call");
  return n * n;
}

bool is_runtime_error(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const std::runtime_error&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool always(const std::exception_ptr&) { return true; }

const auto fail_at_once = rankpool::partial(fail, std::string("always"));

}  // namespace

TEST_CASE("a task runs again after an exception that retry_if accepts", "[retry/task]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  CHECK(pool.submit({.retries = 2, .retry_if = is_runtime_error}, fail_first, marks.path().string(), 2).result() == 3);
  CHECK(marks.files() == 3);
  check_computes(pool);
}

TEST_CASE("a task fails with its last exception when its retries are used up", "[retry/task]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  const auto failed = pool.submit({.retries = 2, .retry_if = always}, fail_first, marks.path().string(), 9);
  CHECK_THROWS_WITH(failed.result(), "call 3");
  CHECK(marks.files() == 3);
  check_computes(pool);
}

TEST_CASE("a task does not run again after an exception that retry_if refuses", "[retry/task]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  const auto refuse = [](const std::exception_ptr& why) { return !is_runtime_error(why); };
  CHECK_THROWS_WITH(pool.submit({.retries = 2, .retry_if = refuse}, fail_first, marks.path().string(), 9).result(), "call 1");
  CHECK(marks.files() == 1);
  check_computes(pool);
}

TEST_CASE("retry_if gets every exception of the task, with the rank that threw it", "[retry/task]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  std::vector<std::string> seen;
  std::uint64_t task = 0;
  const auto note = [&](const std::exception_ptr& why) {
    const rankpool::remote_info* where = rankpool::remote_context(why);
    REQUIRE(where != nullptr);
    task = where->task;
    try {
      std::rethrow_exception(why);
    } catch (const std::exception& e) {
      seen.emplace_back(e.what());
    }
    return true;
  };
  const auto done = pool.submit({.retries = 3, .retry_if = note}, fail_first, marks.path().string(), 2);
  CHECK(done.result() == 3);
  CHECK(seen == std::vector<std::string>{"call 1", "call 2"});
  CHECK(task == done.id());
}

TEST_CASE("a task whose retry_if throws fails with its own exception", "[retry/task]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  const auto broken = [](const std::exception_ptr&) -> bool { throw std::logic_error("in the predicate"); };
  CHECK_THROWS_WITH(pool.submit({.retries = 2, .retry_if = broken}, fail_first, marks.path().string(), 9).result(), "call 1");
  check_computes(pool);
}

TEST_CASE("large arguments arrive at every attempt", "[retry/task]") {
  rankpool::executor pool(cluster());
  for (const std::size_t size : {10UL, 300'000UL}) {
    const scratch_directory marks;
    std::vector<double> values(size, 0.5);
    CHECK(pool.submit({.retries = 1, .retry_if = always}, sum_unless_first, marks.path().string(), std::move(values)).result() ==
          0.5 * static_cast<double>(size));
  }
}

TEST_CASE("callbacks and waiting threads see only the last attempt", "[retry/task]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  auto task = pool.submit({.retries = 1, .retry_if = always, .backoff = 1ms}, fail_first, marks.path().string(), 1);
  int calls = 0;
  task.add_done_callback([&](const rankpool::future<int>& done) { calls += done.result(); });
  CHECK(rankpool::wait({task}).done.size() == 1);
  CHECK(calls == 2);
}

TEST_CASE("a callback is called after a delay although no thread waits for the task", "[retry/backoff]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  std::promise<int> called;
  auto task = pool.submit({.retries = 1, .retry_if = always, .backoff = 1ms}, fail_first, marks.path().string(), 1);
  task.add_done_callback([&](const rankpool::future<int>& done) { called.set_value(done.result()); });
  auto value = called.get_future();
  REQUIRE(value.wait_for(20s) == std::future_status::ready);
  CHECK(value.get() == 2);
}

TEST_CASE("a task that waits for its next attempt can be cancelled", "[retry/backoff]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  const auto task = pool.submit({.retries = 1, .retry_if = always, .backoff = 1h}, fail_first, marks.path().string(), 1);
  auto waiting = task;
  CHECK(eventually([&] { return !task.done() && marks.files() == 1 && waiting.cancel(); }));
  CHECK(task.cancelled());
  CHECK(marks.files() == 1);
  check_computes(pool);
}

TEST_CASE("shutdown with cancel_futures ends tasks and items that wait for their next attempt, with their last exception",
          "[retry/backoff]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  const scratch_directory map_marks;
  const auto task = pool.submit({.retries = 1, .retry_if = always, .backoff = 1h}, fail_first, marks.path().string(), 1);
  auto results = pool.map({.retries = 1, .retry_if = always, .backoff = 1h},
                          rankpool::partial(fail_first, map_marks.path().string()), std::vector<int>{1});
  CHECK(eventually([&] { return !task.done() && marks.files() == 1 && map_marks.files() == 1; }));
  pool.shutdown({.cancel_futures = true});
  CHECK_THROWS_WITH(task.result(), "call 1");
  CHECK_THROWS_WITH(*results.begin(), "call 1");
  rankpool::executor other(cluster());
  check_computes(other);
}

TEST_CASE("shutdown waits for tasks that run again", "[retry/backoff]") {
  const scratch_directory marks;
  rankpool::executor pool(cluster());
  const auto task = pool.submit({.retries = 2, .retry_if = always, .backoff = 2ms}, fail_first, marks.path().string(), 2);
  pool.shutdown();
  CHECK(task.result() == 3);
}

TEST_CASE("other tasks run while a task waits for its next attempt", "[retry/backoff]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  const scratch_directory marks;
  auto waiting = pool.submit({.retries = 1, .retry_if = always, .backoff = 1h}, fail_first, marks.path().string(), 1);
  CHECK(eventually([&] { return waiting.done() || marks.files() == 1; }));
  CHECK(pool.submit(square, 3).result() == 9);
  CHECK(waiting.cancel());
}

TEST_CASE("a failed item of a map runs again alone", "[retry/map]") {
  rankpool::executor pool(cluster());
  for (const long long chunksize : {0LL, 1LL, 4LL, 30LL}) {
    for (const bool is_counted : {false, true}) {
      const scratch_directory marks;
      const rankpool::map_options options{.chunksize = chunksize, .retries = 1, .retry_if = is_runtime_error};
      const auto task = rankpool::partial(square_at_last, marks.path().string());
      const auto results =
          is_counted ? collect(pool.map(options, task, std::views::iota(0, 30))) : collect(pool.map(options, task, numbers(30)));
      CHECK(results == squares(30));
      CHECK(marks.files() == 40);
    }
  }
  check_computes(pool);
}

TEST_CASE("items that run again keep their place, also with a buffer and in order of completion", "[retry/map]") {
  rankpool::executor pool(cluster());
  const scratch_directory buffered;
  CHECK(collect(pool.map({.chunksize = 2, .buffersize = 5, .retries = 1, .retry_if = always, .backoff = 1ms},
                         rankpool::partial(square_at_last, buffered.path().string()), numbers(20))) == squares(20));
  const scratch_directory unordered;
  auto results = collect(pool.map({.chunksize = 3, .ordered = false, .retries = 1, .retry_if = always},
                                  rankpool::partial(square_at_last, unordered.path().string()), numbers(20)));
  std::ranges::sort(results);
  CHECK(results == squares(20));
}

TEST_CASE("an item whose retries are used up fails alone", "[retry/map]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.chunksize = 5, .retries = 2, .retry_if = always}, square_unless_fifth, numbers(20));
  int n = 0;
  for (auto item = results.begin(); item != results.end(); ++item, ++n) {
    if (n % 5 == 0) {
      CHECK_THROWS_WITH(*item, "no multiple of 5: " + std::to_string(n));
    } else {
      CHECK(*item == n * n);
    }
  }
  CHECK(n == 20);
  check_computes(pool);
}

TEST_CASE("a map with items that wait for their next attempt can be dropped", "[retry/map]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  {
    auto dropped = pool.map({.retries = 1, .retry_if = always, .backoff = 1h}, rankpool::partial(fail_first, marks.path().string()),
                            std::vector<int>{1, 1, 1});
    CHECK(eventually([&] { return is_inline() || marks.files() >= 1; }));
  }
  check_computes(pool);
  pool.shutdown();
}

TEST_CASE("a failed chunk of transform_reduce runs again", "[retry/reduce]") {
  rankpool::executor pool(cluster());
  const scratch_directory marks;
  const long sum = pool.transform_reduce({.chunksize = 5, .retries = 5, .retry_if = always}, numbers(30), 0L, std::plus<>(),
                                         rankpool::partial(square_unless_first, marks.path().string()));
  CHECK(sum == 8555);
  CHECK(marks.files() == 10);
  check_computes(pool);
}

TEST_CASE("options about retries are checked", "[retry/options]") {
  rankpool::executor pool(cluster());
  CHECK_THROWS_WITH(pool.submit({.retry_if = always}, square, 3), "task_options::retry_if requires task_options::retries");
  CHECK_THROWS_WITH(pool.submit({.backoff = 1s}, square, 3), "task_options::backoff requires task_options::retries");
  CHECK_THROWS_WITH(pool.submit({.retries = 1, .retry_if = always, .backoff = -1s}, square, 3),
                    "task_options::backoff must not be negative");
  CHECK_THROWS_WITH(pool.submit({.retries = 70'000, .retry_if = always}, square, 3), containing("0 to 65535"));
  CHECK_THROWS_WITH(pool.map({.retries = 1, .backoff = 1s}, square, numbers(3)),
                    "map_options::retries requires an executor with isolation::process, or map_options::retry_if");
  check_computes(pool);
}

TEST_CASE("a task that has ended its process runs again after a delay", "[retry/isolated]") {
  rankpool::executor pool(cluster(), {.isolation = rankpool::isolation::process});
  const scratch_directory marks;
  CHECK(pool.submit({.retries = 2, .backoff = 1ms}, abort_first, marks.path().string(), 2).result() == 3);
  const scratch_directory items;
  CHECK(collect(pool.map({.chunksize = 3, .retries = 2, .backoff = 1ms}, rankpool::partial(abort_first, items.path().string()),
                         std::vector<int>{0, 2, 0})) == std::vector<int>{1, 4, 3});
  const scratch_directory thrown;  // by default, only lost tasks run again
  CHECK_THROWS_WITH(pool.submit({.retries = 2, .backoff = 1ms}, fail_first, thrown.path().string(), 1).result(), "call 1");
  check_computes(pool);
}

TEST_CASE("the crash limit holds whatever retry_if says", "[retry/isolated]") {
  rankpool::executor pool(cluster(), {.isolation = rankpool::isolation::process, .crash_limit = 2});
  const scratch_directory marks;
  CHECK_THROWS_AS(pool.submit({.retries = 9, .retry_if = always}, abort_first, marks.path().string(), 9).result(),
                  rankpool::worker_lost);
  CHECK(marks.files() == 2);
  check_computes(pool);
}

TEST_CASE("a task that exceeds its time limit runs again if retry_if accepts it", "[retry/isolated]") {
  rankpool::executor pool(cluster(), {.isolation = rankpool::isolation::process});
  const scratch_directory marks;
  const auto is_timeout = [](const std::exception_ptr& why) {
    try {
      std::rethrow_exception(why);
    } catch (const rankpool::timeout_error&) {
      return true;
    } catch (...) {
      return false;
    }
  };
  const auto wait_first = [](const std::string& directory) {
    if (count_call(directory) == 1) std::this_thread::sleep_for(1h);
    return 7;
  };
  CHECK(pool.submit({.timeout = 100ms, .retries = 1, .retry_if = is_timeout}, wait_first, marks.path().string()).result() == 7);
  check_computes(pool);
}
