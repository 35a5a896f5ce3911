// loss_bench killed|crashed|stopped: how long a task waits after its worker was lost, until it starts on another worker.
//
// Each task ends or stops the first worker that runs it, until one worker is left: RANKPOOL_WORKERS=33 gives 32 measurements.
// Prints microseconds: the median, the 99th percentile and the maximum. A stopped worker counts as lost after 1 s.
#include <rankpool/rankpool.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

// The clock is the same for all processes of the node.
std::int64_t now_in_nanoseconds() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

/// The first call sends its process this signal. The next one returns the time since then, in nanoseconds.
std::int64_t time_since_loss(const std::string& file, int signal) {
  const std::int64_t begin = now_in_nanoseconds();
  const int created = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
  if (created >= 0) {
    const std::int64_t end = now_in_nanoseconds();
    if (::write(created, &end, sizeof end) == sizeof end) ::raise(signal);
    return -1;
  }
  std::int64_t end = 0;
  const int noted = ::open(file.c_str(), O_RDONLY);
  const bool is_read = ::read(noted, &end, sizeof end) == sizeof end;
  ::close(noted);
  return is_read ? begin - end : -1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  const int signal = how == "killed" ? SIGKILL : how == "crashed" ? SIGSEGV : how == "stopped" ? SIGSTOP : 0;
  if (signal == 0) {
    std::fprintf(stderr, "usage: loss_bench killed|crashed|stopped\n");
    return 2;
  }
  const auto measure = [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    const auto folder = std::filesystem::temp_directory_path() / ("loss-bench-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    std::vector<double> times;
    for (int i = 1; i < cluster.num_workers(); ++i) {
      const auto time = pool.submit(time_since_loss, (folder / std::to_string(i)).string(), signal).result();
      times.push_back(static_cast<double>(time) / 1000);
    }
    std::filesystem::remove_all(folder);
    std::ranges::sort(times);
    if (times.empty() || times.front() < 0) return 1;
    const auto at = [&](double share) { return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))]; };
    std::printf("%s: median %.0f us, 99th percentile %.0f us, maximum %.0f us, %zu losses\n", argv[1], at(0.5), at(0.99),
                times.back(), times.size());
    return 0;
  };
  return rankpool::run(argc, argv, measure, {.heartbeat_timeout = 1s});
}
