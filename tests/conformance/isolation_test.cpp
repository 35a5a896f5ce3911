// isolation::process: a task that crashes, hangs or exceeds a limit fails alone, and the pool goes on.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace support;

namespace {

rankpool::executor isolated() { return rankpool::executor(cluster(), {.isolation = rankpool::isolation::process}); }

int end_by(int signal) {
  raise(signal);
  return 0;
}

int exit_with(int status) {
  std::fprintf(stderr, "status %d\n", status);
  std::exit(status);
}

int process() { return static_cast<int>(getpid()); }

int process_of(int) { return static_cast<int>(getpid()); }

int abort_at_threes(int n) {
  if (n % 10 == 3) std::abort();
  if (n % 10 == 7) throw std::runtime_error("seven");
  return n * n;
}

int abort_at_fifty(int n) { return n == 50 ? end_by(SIGABRT) : n; }

/// Aborts in the first `times` calls with this directory, then returns the number of calls.
int abort_first(const std::string& directory, int times) {
  int calls = 1;
  while (!leave_mark(directory + "/" + std::to_string(calls))) ++calls;
  if (calls <= times) std::abort();
  return calls;
}

int loop_at(int item, int n) {
  for (volatile bool endless = true; n == item && endless;) {
  }
  return n;
}

int loop_at_zero(int n) { return loop_at(0, n); }

/// Takes long to receive once there is a file.
struct slow_after {
  std::string file;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& file;
    if (Archive::is_loading::value && std::filesystem::exists(file)) std::this_thread::sleep_for(100ms);
  }
};

int leave_mark_and_loop(const slow_after& after, int) {
  leave_mark(after.file);
  return loop_at(0, 0);
}

/// Ends its process when it is destroyed, if it was called there.
struct ends_process_after_calls {
  mutable bool was_called = false;
  ~ends_process_after_calls() {
    if (was_called) _exit(3);
  }
  int operator()(int n) const {
    was_called = true;
    return n;
  }
  template <class Archive>
  void serialize(Archive&, unsigned) {}
};

int wait_for_signal() {
  pause();
  return 0;
}

[[maybe_unused]] std::size_t allocate(std::size_t bytes) {  // not under sanitizers
  const std::vector<char> memory(bytes, 'x');
  return memory.size();
}

int kill_parent() {
  kill(getppid(), SIGKILL);
  pause();
  return 0;
}

int close_output() {
  close(STDOUT_FILENO);
  close(STDERR_FILENO);
  return process();
}

/// Starts a process in a session of its own, and returns its number.
int leave_daemon() {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  if (fork() == 0) {
    setsid();
    const pid_t daemon = fork();
    if (daemon == 0) {
      close(ends[0]);
      close(ends[1]);
      for (;;) pause();
    }
    (void)!write(ends[1], &daemon, sizeof daemon);
    _exit(0);
  }
  pid_t daemon = 0;
  if (read(ends[0], &daemon, sizeof daemon) != sizeof daemon) throw std::runtime_error("no daemon");
  close(ends[0]);
  close(ends[1]);
  return static_cast<int>(daemon);
}

/// For every tenth item, the child of a fork returns from the item as well.
int fork_at_threes(int n) {
  if (n % 10 != 3) return n;
  const pid_t child = fork();
  if (child == 0) return -1;
  waitpid(child, nullptr, 0);
  return n;
}

bool is_running(int pid) { return kill(pid, 0) == 0; }

int initialized_with = 0;
void initialize(int value) { initialized_with = value; }
int initial_value() { return initialized_with; }
void abort_initializer() { std::abort(); }

double sum_of(const rankpool::shared<std::vector<double>>& values, int n) { return (*values)[static_cast<std::size_t>(n)]; }

std::vector<double> doubled(std::vector<double> values) {
  for (double& v : values) v *= 2;
  return values;
}

std::vector<double> abort_if_negative(std::vector<double> values) {
  if (values.front() < 0) std::abort();
  return values;
}

double sum_at_third_call(const std::string& directory, std::vector<double> values) {
  (void)abort_first(directory, 2);
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::string text_of(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& what) {
    return what.what();
  }
}

}  // namespace

TEST_CASE("an isolated task that is ended by a signal fails with worker_lost", "[isolation/signal]") {
  auto pool = isolated();
  for (const int signal : {SIGKILL, SIGABRT, SIGTERM}) {
    const auto lost = pool.submit(end_by, signal);
    try {
      (void)lost.result();
      FAIL("no exception");
    } catch (const rankpool::worker_lost& e) {
      CHECK(e.signal() == signal);
      CHECK(e.exit_status() == 0);
      REQUIRE(rankpool::remote_context(e) != nullptr);
      CHECK(rankpool::remote_context(e)->task == lost.id());
      CHECK(rankpool::remote_context(e)->rank == e.rank());
      CHECK(rankpool::remote_context(e)->type_name == "rankpool::worker_lost");
      CHECK(e.host() == cluster().workers().front().host);
      CHECK_THAT(e.what(), containing("task " + std::to_string(lost.id()) + " on rank " + std::to_string(e.rank())));
      CHECK_THAT(e.what(), containing("signal " + std::to_string(signal)));
    }
  }
  check_computes(pool);
}

TEST_CASE("an isolated task that exits fails with worker_lost, which has its status and its output on stderr", "[isolation/exit]") {
  auto pool = isolated();
  for (const int status : {0, 3}) {
    try {
      (void)pool.submit(exit_with, status).result();
      FAIL("no exception");
    } catch (const rankpool::worker_lost& e) {
      CHECK(e.signal() == 0);
      CHECK(e.exit_status() == status);
      CHECK(e.stderr_tail() == "status " + std::to_string(status) + "\n");
      CHECK_THAT(e.what(), containing("exited with status " + std::to_string(status)));
    }
  }
  check_computes(pool);
}

TEST_CASE("isolated tasks run in another process than their rank, one after another in the same one", "[isolation/process]") {
  rankpool::executor pool(cluster(), {.max_workers = 1, .isolation = rankpool::isolation::process});
  const int runner = pool.submit(process).result();
  CHECK(runner != getpid());
  for (const auto& worker : cluster().workers()) CHECK(runner != worker.pid);
  CHECK(pool.submit(process).result() == runner);
  (void)pool.submit(end_by, SIGKILL).exception();
  CHECK(pool.submit(process).result() != runner);
  CHECK(pool.submit(rank_of_worker).result() == rankpool::executor(cluster(), {.max_workers = 1}).submit(rank_of_worker).result());
}

TEST_CASE("a crash costs only its own item of a map, and the other items have their results and exceptions", "[isolation/item]") {
  auto pool = isolated();
  for (const long long chunksize : {0LL, 1LL, 40LL}) {
    auto results = pool.map({.chunksize = chunksize}, abort_at_threes, numbers(100));
    int n = 0;
    for (auto item = results.begin(); item != results.end(); ++item, ++n) {
      if (n % 10 == 3) {
        CHECK_THROWS_AS(*item, rankpool::worker_lost);
      } else if (n % 10 == 7) {
        CHECK_THROWS_WITH(*item, "seven");
      } else {
        CHECK(*item == n * n);
      }
    }
    CHECK(n == 100);
  }
  check_computes(pool);
}

TEST_CASE("a task that has ended its process is run again as often as its retries allow", "[isolation/retries]") {
  auto pool = isolated();
  const scratch_directory enough;
  CHECK(pool.submit({.retries = 2}, abort_first, enough.path().string(), 2).result() == 3);
  const scratch_directory too_few;
  CHECK_THROWS_AS(pool.submit({.retries = 1}, abort_first, too_few.path().string(), 2).result(), rankpool::worker_lost);
  CHECK(too_few.files() == 2);
  const scratch_directory item;
  CHECK(collect(pool.map({.chunksize = 10, .retries = 2}, rankpool::partial(abort_first, item.path().string()),
                         std::vector<int>{0, 2, 0})) == std::vector<int>{1, 3, 4});
  check_computes(pool);
}

TEST_CASE("an executor may have a time limit and retries for all of its tasks", "[isolation/defaults]") {
  rankpool::executor pool(cluster(), {.isolation = rankpool::isolation::process, .task_timeout = 5s, .retries = 1});
  const scratch_directory submitted;
  CHECK(pool.submit(abort_first, submitted.path().string(), 1).result() == 2);
  const scratch_directory mapped;
  CHECK(collect(pool.map(rankpool::partial(abort_first, mapped.path().string()), std::vector<int>{1})) == std::vector<int>{2});
  CHECK_THROWS_AS(pool.submit({.timeout = 10ms}, wait_for_signal).result(), rankpool::timeout_error);
  CHECK_THROWS_AS(collect(pool.map({.task_timeout = 10ms}, loop_at_zero, numbers(2))), rankpool::timeout_error);
  check_computes(pool);
}

TEST_CASE("time to receive the arguments again does not count against the items that are left", "[isolation/item-timeout]") {
  auto pool = isolated();
  const scratch_directory marks;
  const slow_after after{(marks.path() / "ran").string()};
  CHECK_THROWS_AS(collect(pool.map({.task_timeout = 20ms}, rankpool::partial(leave_mark_and_loop, after), numbers(1))),
                  rankpool::timeout_error);
  check_computes(pool);
}

TEST_CASE("results of items are kept if their process ends after the last one", "[isolation/item]") {
  auto pool = isolated();
  CHECK(collect(pool.map({.chunksize = 5}, ends_process_after_calls(), numbers(20))) == numbers(20));
  check_computes(pool);
}

TEST_CASE("a task that has ended as many processes as the crash limit fails, whatever its retries", "[isolation/crash-limit]") {
  auto pool = isolated();
  const scratch_directory marks;
  const auto lost = pool.submit({.retries = 100}, abort_first, marks.path().string(), 100);
  CHECK_THROWS_AS(lost.result(), rankpool::worker_lost);
  CHECK_THAT(text_of(lost.exception()), containing("in each of 3 attempts"));
  CHECK(marks.files() == 3);
  rankpool::executor once(cluster(), {.isolation = rankpool::isolation::process, .crash_limit = 1});
  const scratch_directory other;
  CHECK_THROWS_AS(once.submit({.retries = 100}, abort_first, other.path().string(), 100).result(), rankpool::worker_lost);
  CHECK(other.files() == 1);
  check_computes(pool);
}

TEST_CASE("an isolated task that exceeds its time limit fails with timeout_error, and the next one runs", "[isolation/timeout]") {
  auto pool = isolated();
  const auto late = pool.submit({.timeout = 100ms, .retries = 5}, wait_for_signal);
  CHECK_THROWS_AS(late.result(), rankpool::timeout_error);
  CHECK_THAT(text_of(late.exception()), containing("task " + std::to_string(late.id())));
  CHECK_THAT(text_of(late.exception()), containing("time limit of 0.1 s"));
  CHECK_THROWS_AS(pool.submit({.timeout = 0s}, wait_for_signal).result(), rankpool::timeout_error);
  CHECK(pool.submit({.timeout = 1h}, square, 3).result() == 9);
  check_computes(pool);
}

TEST_CASE("the time limit of a map applies to each item", "[isolation/item-timeout]") {
  auto pool = isolated();
  auto results = pool.map({.chunksize = 20, .task_timeout = 200ms}, rankpool::partial(loop_at, 5), numbers(20));
  int n = 0;
  for (auto item = results.begin(); item != results.end(); ++item, ++n) {
    if (n == 5) {
      CHECK_THROWS_AS(*item, rankpool::timeout_error);
    } else {
      CHECK(*item == n);
    }
  }
  CHECK(n == 20);
  CHECK_THROWS_AS(pool.transform_reduce({.task_timeout = 200ms}, numbers(20), 0, add, rankpool::partial(loop_at, 5)),
                  rankpool::timeout_error);
  check_computes(pool);
}

#ifndef RANKPOOL_TEST_SANITIZED  // a sanitizer needs far more memory than the limit
TEST_CASE("an isolated task that exceeds the memory limit fails with worker_lost, which names the limit", "[isolation/memory]") {
  rankpool::executor pool(cluster(), {.isolation = rankpool::isolation::process, .memory_limit_bytes = 64 << 20});
  const auto too_much = pool.submit(allocate, std::size_t{128} << 20);
  CHECK_THROWS_AS(too_much.result(), rankpool::worker_lost);
  CHECK_THAT(text_of(too_much.exception()), containing("memory limit of 64 MiB"));
  CHECK(pool.submit(allocate, std::size_t{16} << 20).result() == 16 << 20);
  const auto sizes = readings(pool.map({.chunksize = 4}, allocate, std::vector<std::size_t>{1, 1 << 20, 1 << 28, 2}));
  CHECK(sizes[0] == "1");
  CHECK(sizes[1] == "1048576");
  CHECK_THAT(sizes[2], containing("memory limit"));
  CHECK(sizes[3] == "2");
  check_computes(pool);
}
#endif

TEST_CASE("max_tasks_per_child replaces the process after so many tasks or items", "[isolation/max-tasks]") {
  rankpool::executor pool(cluster(), {.max_workers = 1, .isolation = rankpool::isolation::process, .max_tasks_per_child = 2});
  std::vector<int> submitted;
  for (int n = 0; n < 6; ++n) submitted.push_back(pool.submit(process).result());
  CHECK(submitted[0] == submitted[1]);
  CHECK(submitted[1] != submitted[2]);
  CHECK(std::set<int>(submitted.begin(), submitted.end()).size() == 3);
  const auto mapped = collect(pool.map({.chunksize = 10}, process_of, numbers(10)));
  CHECK(std::set<int>(mapped.begin(), mapped.end()).size() == 5);
  check_computes(pool);
}

TEST_CASE("the initializer runs in each new process", "[isolation/initializer]") {
  rankpool::executor pool(cluster(), {.initializer = rankpool::partial(initialize, 7), .isolation = rankpool::isolation::process});
  CHECK(pool.submit(initial_value).result() == 7);
  for (int n = 0; n < 2 * workers(); ++n) (void)pool.submit(end_by, SIGKILL).exception();
  for (int n = 0; n < 2 * workers(); ++n) CHECK(pool.submit(initial_value).result() == 7);
  check_computes(pool);
}

TEST_CASE("an initializer that ends its process breaks its executor", "[isolation/initializer-lost]") {
  rankpool::executor pool(cluster(), {.initializer = abort_initializer, .isolation = rankpool::isolation::process});
  const auto never = pool.submit(square, 2);
  CHECK_THROWS_AS(never.result(), rankpool::broken_pool);
  CHECK_THAT(text_of(never.exception()), containing("initializer") && containing("signal 6"));
  check_cluster_computes();
}

TEST_CASE("isolated tasks use shared values, large and small, also in a new process", "[isolation/shared]") {
  auto pool = isolated();
  const auto small = pool.share(std::vector<double>{1, 2, 3});
  const auto large = pool.share(std::vector<double>(100'000, 0.5));
  CHECK(pool.submit(sum_of, small, 1).result() == 2);
  for (int n = 0; n < 2 * workers(); ++n) (void)pool.submit(end_by, SIGKILL).exception();
  CHECK(pool.submit(sum_of, large, 99'999).result() == 0.5);
  const auto later = pool.share(std::vector<double>(50'000, 4.0));
  CHECK(collect(pool.map(rankpool::partial(sum_of, later), numbers(50))) == std::vector<double>(50, 4.0));
  check_computes(pool);
}

TEST_CASE("large arrays travel to isolated tasks and back", "[isolation/large]") {
  auto pool = isolated();
  const std::vector<double> values(1'000'000, 1.5);
  CHECK(pool.submit(doubled, values).result() == std::vector<double>(1'000'000, 3.0));
  const std::vector<std::vector<double>> items(6, std::vector<double>(50'000, 2.0));
  CHECK(collect(pool.map({.chunksize = 3}, doubled, items)) ==
        std::vector<std::vector<double>>(6, std::vector<double>(50'000, 4.0)));
  check_computes(pool);
}

TEST_CASE("large arrays of tasks that wait in line are right, also when processes crash or are replaced between them",
          "[isolation/large-queue]") {
  for (const int tasks_per_process : {0, 1}) {
    rankpool::executor pool(cluster(), {.isolation = rankpool::isolation::process, .max_tasks_per_child = tasks_per_process});
    std::vector<rankpool::future<std::vector<double>>> results;
    for (int n = 0; n < 24; ++n) {
      const double value = n % 4 == 3 ? -1 : n;
      results.push_back(pool.submit(abort_if_negative, std::vector<double>(200'000, value)));
    }
    for (int n = 0; n < 24; ++n) {
      const auto& result = results[static_cast<std::size_t>(n)];
      if (n % 4 == 3) {
        CHECK_THROWS_AS(result.result(), rankpool::worker_lost);
      } else {
        CHECK(result.result() == std::vector<double>(200'000, n));
      }
    }
    check_computes(pool);
  }
}

TEST_CASE("a large argument is right in each attempt of its task", "[isolation/large-retry]") {
  auto pool = isolated();
  const scratch_directory directory;
  CHECK(pool.submit({.retries = 2}, sum_at_third_call, directory.path().string(), std::vector<double>(500'000, 2)).result() ==
        1'000'000);
  check_computes(pool);
}

TEST_CASE("tasks behind an isolated task that hangs are run by other workers", "[isolation/recall][ranks]") {
  auto pool = isolated();
  gate closed;
  const auto held = pool.submit(pass, closed.path(), 1);
  std::vector<rankpool::future<int>> others;
  for (int n = 0; n < 2000; ++n) others.push_back(pool.submit(square, n));
  if (workers() > 1) {
    for (int n = 0; n < 2000; ++n) CHECK(others[static_cast<std::size_t>(n)].result(20s) == n * n);
    CHECK_FALSE(held.done());
  }
  closed.open();
  CHECK(held.result() == 1);
  check_computes(pool);
}

TEST_CASE("an isolated task may kill its parent process, close its output, or leave a process", "[isolation/environment]") {
  rankpool::executor pool(cluster(), {.max_workers = 1, .isolation = rankpool::isolation::process});
  CHECK_THROWS_AS(pool.submit(kill_parent).result(), rankpool::worker_lost);
  const int silent = pool.submit(close_output).result();
  CHECK(pool.submit(process).result() != silent);
  const int daemon = pool.submit(leave_daemon).result();
  CHECK(is_running(daemon));
  (void)pool.submit(end_by, SIGKILL).exception();
  CHECK(eventually([&] { return !is_running(daemon); }));
  check_computes(pool);
}

TEST_CASE("a child process that an isolated task forks ends when it returns from the task", "[isolation/fork]") {
  auto pool = isolated();
  CHECK(pool.submit(fork_at_threes, 3).result() == 3);
  CHECK(collect(pool.map({.chunksize = 25}, fork_at_threes, numbers(50))) == numbers(50));
  check_computes(pool);
}

TEST_CASE("a forced cancel ends a running isolated task, and returns prefetched ones", "[isolation/cancel]") {
  rankpool::executor pool(cluster(), {.max_workers = 1, .isolation = rankpool::isolation::process});
  const scratch_directory marks;
  const gate closed;
  const auto held = pool.submit(mark_and_pass, marks.file("begun"), closed.path(), 1);
  std::vector<rankpool::future<int>> behind;
  for (int n = 0; n < 20; ++n) behind.push_back(pool.submit(square, n));
  if (!is_inline()) {  // inline, tasks run only while rank 0 waits, and the gate is open
    REQUIRE(eventually([&] { return std::filesystem::exists(marks.file("begun")); }));
    CHECK_FALSE(held.cancel());
    CHECK(behind[3].cancel({.force = true}));
    CHECK_THROWS_AS(behind[3].result(), rankpool::cancelled_error);
    CHECK(behind[3].cancelled());
    CHECK_FALSE(held.done());
  }
  CHECK(held.cancel({.force = true}));
  CHECK_THROWS_AS(held.result(), rankpool::cancelled_error);
  CHECK(held.cancelled());
  CHECK(behind[19].result() == 361);
  CHECK_FALSE(behind[19].cancel({.force = true}));
  rankpool::executor plain(cluster());
  const auto there = plain.submit(square, 2);
  CHECK_THROWS_WITH(there.cancel({.force = true}), "cancel_options::force requires an executor with isolation::process");
  check_computes(pool);
}

TEST_CASE("kill_workers and terminate_workers end running tasks, cancel the others and shut down", "[isolation/kill]") {
  for (const bool kills : {true, false}) {
    auto pool = isolated();
    const scratch_directory marks;
    const gate closed;
    std::vector<rankpool::future<int>> held;
    for (int w = 0; w < workers(); ++w) {
      held.push_back(pool.submit({.retries = 5}, mark_and_pass, marks.file(std::to_string(w)), closed.path(), 1));
    }
    std::vector<rankpool::future<int>> behind;
    for (int n = 0; n < 100; ++n) behind.push_back(pool.submit(square, n));
    const bool is_running = !is_inline();
    if (is_running) REQUIRE(eventually([&] { return marks.files() == workers(); }));
    kills ? pool.kill_workers() : pool.terminate_workers();
    for (const auto& h : held) {
      if (!is_running) continue;
      try {
        (void)h.result();
        FAIL("no exception");
      } catch (const rankpool::worker_lost& e) {
        CHECK(e.signal() == (kills ? SIGKILL : SIGTERM));
      }
    }
    CHECK_THROWS_AS(behind.back().result(), rankpool::cancelled_error);
    CHECK_THROWS_AS(pool.submit(square, 2), rankpool::pool_closed);
    CHECK(marks.files() == (is_running ? workers() : 0));
  }
  rankpool::executor plain(cluster());
  CHECK_THROWS_WITH(plain.kill_workers(), "kill_workers requires an executor with isolation::process");
  CHECK_THROWS_WITH(plain.terminate_workers(), "terminate_workers requires an executor with isolation::process");
  check_computes(plain);
}

TEST_CASE("run_everywhere and transform_reduce work with isolation, and a crash is their error", "[isolation/calls]") {
  auto pool = isolated();
  const auto processes = pool.run_everywhere(process);
  CHECK(std::set<int>(processes.begin(), processes.end()).size() == static_cast<std::size_t>(workers()));
  CHECK_THROWS_AS(pool.run_everywhere(end_by, SIGKILL), rankpool::worker_lost);
  CHECK(pool.transform_reduce(numbers(100), 0, add, identity) == 4950);
  CHECK_THROWS_AS(pool.transform_reduce(numbers(100), 0, add, abort_at_fifty), rankpool::worker_lost);
  check_computes(pool);
}

TEST_CASE("options that need isolation are refused without it", "[isolation/options]") {
  CHECK_THROWS_WITH(rankpool::executor(cluster(), {.max_tasks_per_child = 1}),
                    "executor_options::max_tasks_per_child requires isolation::process");
  CHECK_THROWS_WITH(rankpool::executor(cluster(), {.memory_limit_bytes = 1}),
                    "executor_options::memory_limit_bytes requires isolation::process");
  CHECK_THROWS_AS(rankpool::executor(cluster(), {.isolation = rankpool::isolation::process, .max_tasks_per_child = -1}),
                  std::invalid_argument);
  CHECK_THROWS_AS(rankpool::executor(cluster(), {.isolation = rankpool::isolation::process, .crash_limit = 0}),
                  std::invalid_argument);
  CHECK_THROWS_WITH(rankpool::executor(cluster(), {.task_timeout = 1s}),
                    "executor_options::task_timeout requires isolation::process");
  CHECK_THROWS_WITH(rankpool::executor(cluster(), {.retries = 1}), "executor_options::retries requires isolation::process");
  rankpool::executor pool(cluster());
  CHECK_THROWS_WITH(pool.submit({.timeout = 1s}, square, 2), "task_options::timeout requires an executor with isolation::process");
  CHECK_THROWS_WITH(pool.submit({.retries = 1}, square, 2),
                    "task_options::retries requires an executor with isolation::process, or task_options::retry_if");
  CHECK_THROWS_WITH(pool.map({.task_timeout = 1s}, square, numbers(3)),
                    "map_options::task_timeout requires an executor with isolation::process");
  auto own = isolated();
  CHECK_THROWS_WITH(own.submit({.retries = -1}, square, 2), "task_options::retries must be 0 to 65535, got -1");
  check_computes(pool);
}

TEST_CASE("executors with and without isolation share the workers", "[isolation/beside]") {
  auto one = isolated();
  auto two = isolated();
  rankpool::executor plain(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int n = 0; n < 300; ++n) {
    tasks.push_back(one.submit(square, n));
    tasks.push_back(two.submit(square, n));
    tasks.push_back(plain.submit(square, n));
    if (n % 100 == 50) (void)one.submit(end_by, SIGKILL);
  }
  for (std::size_t t = 0; t < tasks.size(); ++t) CHECK(tasks[t].result() == square(static_cast<int>(t / 3)));
  check_computes(one);
}

TEST_CASE("a process that was started for withdrawn tasks fails only the task that ends it", "[isolation/withdrawn][ranks]") {
  rankpool::executor pool(cluster(), {.max_workers = 1, .isolation = rankpool::isolation::process});
  for (int round = 0; round < 20; ++round) {
    std::vector<rankpool::future<int>> lost;
    std::vector<rankpool::future<int>> cancelled;
    for (int n = 0; n < 8; ++n) {
      lost.push_back(pool.submit(end_by, SIGKILL));
      cancelled.push_back(pool.submit(square, n));
    }
    if (round % 2 == 0) (void)lost[static_cast<std::size_t>(round) / 3].exception(20s);
    for (const auto& task : cancelled) (void)task.cancel({.force = true});  // withdraws those that have not started
    for (const auto& task : lost) CHECK_THROWS_AS(task.result(20s), rankpool::worker_lost);
    for (int n = 0; n < 8; ++n) {
      const auto& task = cancelled[static_cast<std::size_t>(n)];
      int value = n * n;
      try {
        value = task.result(20s);
      } catch (const rankpool::cancelled_error&) {
      }
      CHECK(value == n * n);
    }
  }
  check_computes(pool);
}
