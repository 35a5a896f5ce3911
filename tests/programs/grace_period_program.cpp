// grace_period_program PLACE: a task never ends, and the run is stopped with a grace period of one second. PLACE is the call in
// which the program is at the end of the grace period.
#include <rankpool/rankpool.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;

int endless(const std::string& begun) {
  std::ofstream mark(begun);
  mark.close();
  for (;;) std::this_thread::sleep_for(1s);
  return 0;
}

void program(rankpool::cluster& cluster, const std::string& place) {
  auto pool = std::make_optional<rankpool::executor>(cluster);
  const auto begun = std::filesystem::temp_directory_path() / ("rankpool-grace-" + std::to_string(::getpid()));
  auto task = pool->submit(endless, begun.string());
  while (!std::filesystem::exists(begun)) std::this_thread::sleep_for(1ms);
  std::filesystem::remove(begun);
  cluster.stop("stopped early: a task does not end");
  if (place == "result") (void)task.result();
  if (place == "shutdown") pool->shutdown({.wait = true});
  if (place == "own-code") {
    while (!task.done()) std::this_thread::sleep_for(1ms);
  }
  if (place == "new-executor") {
    (void)task.exception();
    rankpool::executor late(cluster);
  }
  if (place == "returned") new rankpool::executor(std::move(*pool));
}  // or waits in the destructor

}  // namespace

int main(int argc, char** argv) {
  const std::string place = argc > 1 ? argv[1] : "destructor";
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) { program(cluster, place); }, {.grace = 1s});
}
