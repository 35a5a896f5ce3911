// crash_program exit|exit-0|quick-exit|exec|abort|segfault|kill|kill-loaded|kill-returning: a task ends its process. The program
// must end with an error message, or complete the other tasks. It must never hang.
#include <rankpool/rankpool.hpp>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

int work(int n) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return n;
}

int crash(const std::string& how) {
  if (how == "exit") _exit(3);
  if (how == "exit-0") std::exit(0);
  if (how == "quick-exit") std::quick_exit(0);
  if (how == "exec") (void)::execl("/bin/true", "true", nullptr);
  if (how == "abort") std::abort();
  if (how == "segfault") raise(SIGSEGV);
  if (how == "kill" || how == "kill-returning") raise(SIGKILL);
  return 0;
}

/// Kills its process while megabytes are on their way to it.
int crash_loaded(const std::vector<double>& load) {
  if (!load.empty()) raise(SIGKILL);
  return 0;
}

std::vector<double> load(int) { return std::vector<double>(1'000'000); }

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "exit";
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    std::vector<rankpool::future<int>> tasks;
    for (int n = 0; n < 50; ++n) tasks.push_back(pool.submit(work, n));
    if (how == "kill-returning") {  // megabytes are on their way from the process that is killed
      for (int n = 0; n < 20; ++n) pool.submit(load, n);
    }
    const bool loaded = how == "kill-loaded";
    auto lost = loaded ? pool.submit(crash_loaded, std::vector<double>(1'000'000)) : pool.submit(crash, how);
    for (int n = 0; loaded && n < 20; ++n) pool.submit(crash_loaded, std::vector<double>(1'000'000));
    for (int n = 50; n < 100; ++n) tasks.push_back(pool.submit(work, n));
    try {
      lost.result();
      std::printf("the task survived\n");
      return 0;
    } catch (const rankpool::error& error) {
      std::printf("lost: %s\n", error.what());
    }
    int done = 0;
    for (auto& task : tasks) done += task.exception() == nullptr;
    std::printf("others done: %d\n", done);
    return 1;
  });
}
