// The run is stopped while a task needs a minute, and every thread of rank 0 gets SIGTERM repeatedly. The signals must not extend
// the grace period of one second.
#include <rankpool/rankpool.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

void take_a_minute() { std::this_thread::sleep_for(60s); }

void signal_all_threads() {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    ::syscall(SYS_tgkill, ::getpid(), std::stoi(thread.path().filename()), SIGTERM);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return rankpool::run(argc, argv,
                       [](rankpool::cluster& cluster) {
                         rankpool::executor pool(cluster);
                         auto task = pool.submit(take_a_minute);
                         while (!task.running()) std::this_thread::sleep_for(1ms);
                         for (int repetition = 0; repetition < 20; ++repetition) {  // signals within 0.5 s are one request
                           signal_all_threads();
                           std::this_thread::sleep_for(10ms);
                         }
                         task.result();
                       },
                       {.stop_on_signal = true, .grace = 1s});
}
