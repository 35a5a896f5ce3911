// lost_workers SEED TASKS [FOLDER]: workers are killed, or stopped and continued, at random moments while the pool is busy, until
// one is left. Of a run over several hosts, these are the workers of rank 0's host.
//
// FOLDER is for a caller that makes other nodes fail: the program creates the file `begun` there, and computes on until there is a
// file `enough`. A node that is silent for 5 s is lost.
//
// The work consists of rounds of submitted tasks with arguments and results of 8 bytes to 8 MB, maps, a reduction, a shared value,
// maps with a journal, and isolated tasks. A round has TASKS tasks of each kind. Every result must be right. Prints one line, and
// exits with 0 if everything was right.
#include <rankpool/rankpool.hpp>

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

std::vector<double> doubled(std::vector<double> numbers) {
  for (double& x : numbers) x *= 2;
  return numbers;
}

std::uint64_t cube(std::uint64_t n) { return n * n * n; }

std::uint64_t cube_of_text(const std::string& n) { return cube(std::stoull(n)); }

std::uint64_t slow_cube(std::uint64_t n) {
  std::this_thread::sleep_for(std::chrono::microseconds(n % 997));
  return cube(n);
}

double element(const rankpool::shared<std::vector<double>>& numbers, std::uint64_t i) { return (*numbers)[i]; }

/// Kills workers, or stops and continues them, on a thread of its own until one is left.
class killer {
 public:
  killer(rankpool::cluster& cluster, std::uint64_t seed) : cluster_(cluster), random_(seed), thread_([this] { run(); }) {}
  killer(const killer&) = delete;
  killer& operator=(const killer&) = delete;
  ~killer() {
    leaves_ = true;
    thread_.join();
  }

  /// Returns whether no more workers will be killed.
  bool is_done() const { return is_done_; }

 private:
  std::uint64_t below(std::uint64_t limit) { return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random_); }

  void run() {
    auto left = cluster_.workers();
    std::array<char, 256> own_host{};
    (void)::gethostname(own_host.data(), own_host.size() - 1);
    std::erase_if(left, [&](const rankpool::worker_info& worker) { return worker.host != own_host.data(); });
    while (!leaves_ && left.size() > 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(below(60)));
      const auto which = left.begin() + static_cast<std::ptrdiff_t>(below(left.size()));
      if (below(4) == 0) {
        ::kill(which->pid, SIGSTOP);
        std::this_thread::sleep_for(std::chrono::milliseconds(below(30)));
        ::kill(which->pid, SIGCONT);
        continue;
      }
      ::kill(which->pid, below(2) == 0 ? SIGKILL : SIGSEGV);
      left.erase(which);
    }
    is_done_ = true;
  }

  rankpool::cluster& cluster_;
  std::mt19937_64 random_;
  std::atomic<bool> leaves_ = false;
  std::atomic<bool> is_done_ = false;
  std::thread thread_;
};

class load {
 public:
  load(rankpool::cluster& cluster, std::uint64_t seed, std::uint64_t tasks)
      : plain_(cluster, {.crash_limit = 1000}),
        isolated_(cluster, {.isolation = rankpool::isolation::process, .crash_limit = 1000}),
        random_(seed),
        tasks_(tasks),
        folder_(std::filesystem::temp_directory_path() / ("lost-workers-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(folder_);
  }
  load(const load&) = delete;
  load& operator=(const load&) = delete;
  ~load() { std::filesystem::remove_all(folder_); }

  void round() {
    submits(plain_);
    submits(isolated_);
    map(plain_, {}, cube);
    map(plain_, {}, slow_cube);
    map(plain_, {.journal = (folder_ / (std::to_string(++journals_) + ".journal")).string()}, cube);
    map(isolated_, {}, slow_cube);
    map_texts({});
    map_texts({.retries = 1, .retry_if = [](const std::exception_ptr&) { return true; }});
    map_texts({.journal = (folder_ / (std::to_string(++journals_) + ".journal")).string()});
    const auto numbers = std::views::iota(std::uint64_t{0}, tasks_ * 1000);
    check(plain_.transform_reduce(numbers, std::uint64_t{0}, std::plus<>(), cube) ==
          std::transform_reduce(numbers.begin(), numbers.end(), std::uint64_t{0}, std::plus<>(), cube));
    share();
  }
  std::uint64_t wrong() const { return wrong_; }

 private:
  void check(bool is_right) { wrong_ += is_right ? 0 : 1; }

  void submits(rankpool::executor& pool) {
    std::vector<std::pair<std::size_t, rankpool::future<std::vector<double>>>> futures;
    for (std::uint64_t t = 0; t < tasks_; ++t) {
      const bool is_large = t % 20 == 0;
      const std::size_t size = std::size_t{1} << std::uniform_int_distribution<int>(0, is_large ? 20 : 10)(random_);
      std::vector<double> numbers(size);
      std::iota(numbers.begin(), numbers.end(), static_cast<double>(t));
      futures.emplace_back(size, pool.submit(doubled, std::move(numbers)));
    }
    for (std::uint64_t t = 0; t < tasks_; ++t) {
      const std::vector<double> result = futures[t].second.result();
      const auto last = static_cast<double>(t + futures[t].first - 1);
      check(result.size() == futures[t].first && result.front() == 2 * static_cast<double>(t) && result.back() == 2 * last);
    }
  }

  void map(rankpool::executor& pool, rankpool::map_options options, std::uint64_t (*function)(std::uint64_t)) {
    std::uint64_t n = 0;
    for (const std::uint64_t result : pool.map(std::move(options), function, std::views::iota(n, tasks_)))
      check(result == cube(n++));
    check(n == tasks_);
  }

  /// The same with items that are sent one by one.
  void map_texts(rankpool::map_options options) {
    std::vector<std::string> texts;
    for (std::uint64_t n = 0; n < tasks_; ++n) texts.push_back(std::to_string(n));
    std::uint64_t n = 0;
    for (const std::uint64_t result : plain_.map(std::move(options), cube_of_text, texts)) check(result == cube(n++));
    check(n == tasks_);
  }

  void share() {
    std::vector<double> numbers(tasks_ * 100);
    std::iota(numbers.begin(), numbers.end(), 0.0);
    const auto shared = plain_.share(std::move(numbers));
    std::uint64_t n = 0;
    for (const double result : plain_.map(rankpool::partial(element, shared), std::views::iota(n, tasks_))) {
      check(result == static_cast<double>(n++));
    }
  }

  rankpool::executor plain_;
  rankpool::executor isolated_;
  std::mt19937_64 random_;
  const std::uint64_t tasks_;
  const std::filesystem::path folder_;
  int journals_ = 0;
  std::uint64_t wrong_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const std::uint64_t tasks = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 200;
  const std::optional<std::filesystem::path> folder = argc > 3 ? std::optional(argv[3]) : std::nullopt;
  rankpool::run_options options;
  if (folder) options.heartbeat_timeout = 5s;
  const auto program = [&](rankpool::cluster& cluster) {
    int rounds = 0;
    std::uint64_t wrong = 0;
    {
      load work(cluster, seed, tasks);
      const killer kills(cluster, seed);
      if (folder) std::ofstream(*folder / "begun").close();
      do {
        work.round();
        ++rounds;
      } while (!kills.is_done() || (folder && !std::filesystem::exists(*folder / "enough")));
      wrong = work.wrong();
    }
    const auto workers = cluster.workers();
    const auto lost = std::ranges::count_if(workers, &rankpool::worker_info::lost);
    std::printf("seed %llu: %lld of %zu workers lost in %d rounds, %llu results wrong\n", static_cast<unsigned long long>(seed),
                static_cast<long long>(lost), workers.size(), rounds, static_cast<unsigned long long>(wrong));
    return wrong == 0 ? 0 : 1;
  };
  return rankpool::run(argc, argv, program, options);
}
