// exit_program WHEN STATUS [with_executor]: rank 0's program calls std::exit(STATUS) instead of returning, as a command line
// parser does. Every rank must end with this status, and rank 0 must call its exit handlers and destructors.
#include <rankpool/rankpool.hpp>

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

void say(std::string_view text) { (void)!::write(STDOUT_FILENO, text.data(), text.size()); }

struct farewell {
  bool is_rank_0 = false;
  ~farewell() {
    if (is_rank_0) say("destroyed\n");
  }
};

farewell goodbye;
std::optional<rankpool::executor> long_lived;  // destroyed after the pool has ended

int square(int n) { return n * n; }

int nap(int n) {
  std::this_thread::sleep_for(10ms);
  return n;
}

int endless(const std::string& begun) {
  std::ofstream mark(begun);
  mark.close();
  for (;;) std::this_thread::sleep_for(1s);
  return 0;
}

rankpool::future<int> start_endless(rankpool::executor& pool) {
  const auto begun = std::filesystem::temp_directory_path() / ("rankpool-exit-" + std::to_string(::getpid()));
  auto task = pool.submit(endless, begun.string());
  while (!std::filesystem::exists(begun)) std::this_thread::sleep_for(1ms);
  std::filesystem::remove(begun);
  return task;
}

void work(rankpool::executor pool, const std::string& when, int status) {
  std::atexit([] { say("handled\n"); });
  goodbye.is_rank_0 = true;
  if (when == "at-once") std::exit(status);
  if (pool.submit(square, 4).result() != 16) std::exit(99);
  if (when == "pending") {
    for (int n = 0; n < 1000; ++n) pool.submit(nap, n);
  }
  if (when == "busy") (void)start_endless(pool);
  if (when == "map") {
    auto results = pool.map(nap, std::vector<int>(1000));
    std::exit(status);
  }
  if (when == "long-lived") {
    for (int n = 0; n < 100; ++n) pool.submit(nap, n);
    long_lived.emplace(std::move(pool));
  }
  if (when == "thread") {
    auto task = start_endless(pool);
    std::thread([status] { std::exit(status); }).detach();
    (void)task.result();
    say("the program went on\n");
  }
  if (when == "callback") {
    auto task = pool.submit(nap, 1);
    task.add_done_callback([status](const rankpool::future<int>&) { std::exit(status); });
    std::promise<void>().get_future().wait();
  }
  if (when == "callback-while-waiting") {
    auto task = pool.submit(nap, 1);
    task.add_done_callback([status](const rankpool::future<int>&) { std::exit(status); });
    (void)start_endless(pool).result();
  }
  if (when == "quick") std::quick_exit(status);
  std::exit(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string when = argv[1];
  const int status = std::atoi(argv[2]);
  if (argc > 3) {
    const boost::mpi::environment environment(argc, argv, boost::mpi::threading::serialized);
    rankpool::with_executor(boost::mpi::communicator(), 0, [&](rankpool::executor& pool) { work(std::move(pool), when, status); });
    say("with_executor returned\n");
    return 98;
  }
  const int ended = rankpool::run(argc, argv, [&](rankpool::cluster& cluster) { work(rankpool::executor(cluster), when, status); });
  return ended;  // reached only in the process that started the launcher
}
