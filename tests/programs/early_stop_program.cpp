// early_stop_program WORK BY: submits a thousand tasks and stops the run after some of them. The exit status must report it.
//
// WORK is the state when the run stops: futures that are dropped or kept, or whose errors are caught; an executor that is shut down
// or never destroyed; a map that is not read; a submit that is refused; no unfinished task; or a program that returns a status.
// BY: signal, stop (cluster::stop) or time (run_options::stop_at).
#include <rankpool/rankpool.hpp>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int count = 1000;
rankpool::executor* never_destroyed = nullptr;  // reachable, so that leak checkers do not report it

int work(int n) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return n;
}

int program(rankpool::cluster& cluster, const std::string& left, const std::string& by) {
  const auto stop = [&] {
    if (by == "signal") ::kill(::getpid(), SIGTERM);
    if (by == "stop") cluster.stop("stopped early: the tests want it so");
  };
  auto owner = std::make_unique<rankpool::executor>(cluster);
  rankpool::executor* const pool = owner.get();
  if (left == "leaked") never_destroyed = owner.release();

  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  if (left == "map") {
    auto results = pool->map({.chunksize = 1}, work, numbers);
    (void)*results.begin();
    stop();
    pool->shutdown();
    return 0;
  }
  if (left == "nothing") {
    for (const int n : pool->map(work, std::vector{1, 2, 3})) (void)n;
    stop();
    return 0;
  }
  if (left == "refused") {
    stop();
    for (;;) {
      try {
        (void)pool->submit(work, 1).result();
      } catch (const rankpool::stopped_error&) {
        return 0;
      }
    }
  }
  std::vector<rankpool::future<int>> tasks;
  for (const int n : numbers) tasks.push_back(pool->submit(work, n));
  if (by != "time") (void)tasks[count * 12 / 100].result();
  stop();
  if (left == "dropped") tasks.clear();
  if (left == "shutdown") pool->shutdown();
  if (left == "status") return 5;
  if (left == "caught") {
    for (const auto& task : tasks) {
      try {
        (void)task.result();
      } catch (const rankpool::stopped_error&) {
      }
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string left = argv[1];
  const std::string by = argv[2];
  rankpool::run_options options{.stop_on_signal = true};
  if (by == "time") options.stop_at = std::chrono::system_clock::now();
  return rankpool::run(
      argc, argv, [&](rankpool::cluster& cluster) { return program(cluster, left, by); }, options);
}
