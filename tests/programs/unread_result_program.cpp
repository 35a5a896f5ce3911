// unread_result_program rank|runner: an isolated task has returned a large result, which rank 0 reads from the runner process.
// Before it does so, the rank or the runner is killed.
//
// Rank 0 is stopped meanwhile. That the result is on its way when the process is killed cannot be observed from outside, so the
// controller waits a little. If that is too short, the output is the same.
#include <rankpool/rankpool.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::size_t size = 1'000'000;
constexpr useconds_t between_looks = 1'000;
constexpr useconds_t time_to_send = 100'000;

/// Writes the process that runs this task, and waits until there is a file "go".
std::vector<double> numbers(const std::string& folder) {
  std::ofstream(folder + "/begun.part") << ::getpid();
  fs::rename(folder + "/begun.part", folder + "/begun");
  while (!fs::exists(folder + "/go")) ::usleep(between_looks);
  return std::vector<double>(size, 1.5);
}

int rank_of_worker() { return rankpool::this_worker::rank(); }

char state_of(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(in, text);
  const auto end = text.rfind(')');
  return end == std::string::npos ? 'X' : text[end + 2];
}

bool has_ended(pid_t process) { return state_of(process) == 'X' || state_of(process) == 'Z'; }

[[noreturn]] void control(pid_t rank_0, pid_t worker, bool kills_rank, const std::string& folder) {
  while (!fs::exists(folder + "/begun")) ::usleep(between_looks);
  pid_t runner = 0;
  std::ifstream(folder + "/begun") >> runner;
  ::kill(rank_0, SIGSTOP);
  while (state_of(rank_0) != 'T') ::usleep(between_looks);
  std::ofstream(folder + "/go");
  ::usleep(time_to_send);
  ::kill(kills_rank ? worker : runner, SIGKILL);
  while (!has_ended(runner)) ::usleep(between_looks);
  ::kill(rank_0, SIGCONT);
  ::_exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const bool kills_rank = std::string_view(argv[1]) == "rank";
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster, {.max_workers = 1, .isolation = rankpool::isolation::process});
    const int rank = pool.submit(rank_of_worker).result();
    pid_t worker = 0;
    for (const rankpool::worker_info& w : cluster.workers()) {
      if (w.rank == rank) worker = w.pid;
    }
    const pid_t rank_0 = ::getpid();
    const std::string folder = fs::temp_directory_path() / ("unread-result-" + std::to_string(rank_0));
    fs::create_directory(folder);
    const auto result = pool.submit(numbers, folder);
    const pid_t controller = ::fork();
    if (controller == 0) control(rank_0, worker, kills_rank, folder);
    try {
      std::cout << (result.result() == std::vector<double>(size, 1.5) ? "right" : "wrong") << '\n';
    } catch (const rankpool::worker_lost&) {
      std::cout << "worker_lost\n";
    }
    ::waitpid(controller, nullptr, 0);
    std::cout << (pool.submit(numbers, folder).result().size() == size ? "computes" : "wrong") << '\n';
    fs::remove_all(folder);
  });
}
