// The disk of a journal stalls, and the results exceed the memory that is reserved for them: a stop must still take effect. Run it
// with support/stalled_disk.cpp as LD_PRELOAD.
#include <rankpool/rankpool.hpp>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <ranges>
#include <string>
#include <thread>

namespace {

constexpr std::size_t result_bytes = 8 << 20;
constexpr int results_in_memory = 32;  // 256 MiB

std::string large(int n) { return std::string(result_bytes, static_cast<char>('a' + n % 26)); }

// The memory for results is full when no task finishes for a second.
void wait_until_no_task_finishes(const rankpool::cluster& cluster) {
  std::uint64_t finished = 0, before = 0;
  do {
    before = finished;
    std::this_thread::sleep_for(std::chrono::seconds(1));
    finished = cluster.statistics().tasks;
  } while (finished != before);
}

}  // namespace

int main(int argc, char** argv) {
  return rankpool::run(argc, argv, [](rankpool::cluster& cluster) {
    const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("stalled-journal-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    {
      rankpool::journal journal(folder / "journal");
      const std::string stalled = std::getenv("STALLED_WHILE");
      std::filesystem::remove(stalled);
      rankpool::executor pool(cluster, {.journal = journal});
      auto results = pool.map({.chunksize = 1}, large, std::views::iota(0, 3 * results_in_memory));
      auto result = results.begin();
      std::ofstream(stalled).put('x');
      for (int i = 0; i < results_in_memory; ++i, ++result) (void)*result;
      wait_until_no_task_finishes(cluster);
      cluster.stop("the disk stalls");
      int stopped = 0;
      for (; result != results.end(); ++result) {
        try {
          (void)*result;
        } catch (const rankpool::stopped_error&) {
          ++stopped;
        }
      }
      std::cout << (stopped > 0 ? "stopped" : "not stopped")
                << (std::filesystem::exists(stalled) ? " while the disk stalls\n" : "\n");
      std::filesystem::remove(stalled);
    }
    std::filesystem::remove_all(folder);
  });
}
