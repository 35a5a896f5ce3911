// Measures the pool: tasks per second, round trip, efficiency by task length, bandwidth, idle CPU, memory.
//
//   RANKPOOL_WORKERS=2 ./pool_bench MODE [ARGS]
//
// With RANKPOOL_BENCH_ISOLATED=1 in the environment, tasks run in runner processes (isolation::process). RANKPOOL_BENCH_TRACE=FILE
// writes a trace.
//
// README.md describes each mode. Prints `key value` lines with the same keys as the peers.
#include "workload.hpp"

#include <rankpool/rankpool.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace bench;
using namespace std::chrono_literals;

// ---- tasks

std::int64_t null(std::int64_t x) { return x; }
std::vector<double> echo(std::vector<double> data) { return data; }
std::vector<std::string> echo_strings(std::vector<std::string> data) { return data; }

double nap(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return seconds;
}

/// Returns the nanoseconds of the clock that all processes of a node share.
std::int64_t now() { return clock_type::now().time_since_epoch().count(); }

// ---- figures from the kernel

void require(bool holds) {
  if (!holds) throw std::runtime_error("wrong result");
}

/// Returns the CPU seconds that all threads of a process of this node have used: fields 14 and 15 of /proc/PID/stat, see proc(5).
double cpu_seconds(int pid) {
  double ticks = 0;
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::string after_name = text.substr(text.rfind(')') + 2);
  std::size_t at = 0;
  for (int field = 3; field <= 15; ++field) {
    const std::size_t end = after_name.find(' ', at);
    if (field >= 14) ticks += std::stod(after_name.substr(at, end - at));
    at = end + 1;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double cpu_seconds_of_all(const rankpool::cluster& cluster) {
  double sum = cpu_seconds(getpid());
  for (const auto& worker : cluster.workers()) {
    if (worker.pid != getpid()) sum += cpu_seconds(worker.pid);
  }
  return sum;
}

/// Returns a value of /proc/self/status, in bytes.
double status_bytes(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    if (word != key + ":") continue;
    double kibibytes = 0;
    in >> kibibytes;
    return kibibytes * 1024;
  }
  throw std::runtime_error("no " + key + " in /proc/self/status");
}

// ---- modes

struct setting {
  rankpool::cluster& cluster;
  rankpool::executor& pool;
  const arguments& args;
};

void throughput(const setting& s) {
  const auto n = static_cast<std::int64_t>(s.args.count(1, 1'000'000));
  const auto begin = clock_type::now();
  std::vector<rankpool::future<std::int64_t>> futures;
  futures.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) futures.push_back(s.pool.submit(null, i));
  std::int64_t total = 0;
  for (const auto& f : futures) total += f.result();
  std::printf("submit_tasks_per_s %.0f\n", static_cast<double>(n) / seconds_since(begin));
  require(total == n * (n - 1) / 2);
}

void map_items(const setting& s) {
  const auto n = static_cast<std::int64_t>(s.args.count(1, 10'000'000));
  const auto chunksize = static_cast<long long>(s.args.count(2, 0));
  const auto begin = clock_type::now();
  std::int64_t total = 0;
  for (const std::int64_t x : s.pool.map({.chunksize = chunksize}, null, std::views::iota(std::int64_t{0}, n))) total += x;
  std::printf("map_items_per_s %.0f\n", static_cast<double>(n) / seconds_since(begin));
  require(total == n * (n - 1) / 2);
}

void latency(const setting& s) {
  std::vector<double> us(s.args.count(1, 10'000));
  for (double& u : us) {
    const auto begin = clock_type::now();
    (void)s.pool.submit(null, 1).result();
    u = seconds_since(begin) * 1e6;
  }
  print_latency(us);
}

double run_all(rankpool::executor& pool, const std::vector<double>& us) {
  const auto begin = clock_type::now();
  std::vector<rankpool::future<double>> futures;
  futures.reserve(us.size());
  for (const double u : us) futures.push_back(pool.submit(spin, u));
  for (const auto& f : futures) (void)f.result();
  return seconds_since(begin);
}

void grain(const setting& s) {
  const double us = s.args.number(1, 100);
  const std::size_t n = s.args.count(2, 20'000);
  print_grain(us, n, s.pool.num_workers(), run_all(s.pool, std::vector<double>(n, us)));
}

// Runs a map with one task per chunk, first without and then with a journal, and prints both times. `FILE` must not exist.
void journalled(const setting& s) {
  const double us = s.args.number(1, 100);
  const std::size_t n = s.args.count(2, 20'000);
  const std::vector<double> lengths(n, us);
  double seconds[2] = {};
  for (const bool keeps : {false, true}) {
    rankpool::map_options options{.chunksize = 1};
    const auto begin = clock_type::now();
    if (keeps) options.journal = s.args.text(3, "pool_bench.journal");
    for (const double u : s.pool.map(options, spin, lengths)) (void)u;
    seconds[keeps ? 1 : 0] = seconds_since(begin);
  }
  std::printf("seconds_without %.3f\nseconds_with %.3f\noverhead %.4f\n", seconds[0], seconds[1], seconds[1] / seconds[0] - 1);
}

void mixed(const setting& s) {
  const auto us = mixed_lengths(s.args.count(1, 500), s.args.count(2, 1));
  print_mixed(us, s.pool.num_workers(), run_all(s.pool, us));
}

// Sends an array to a task and gets it back. The caller does nothing else meanwhile.
template <class T>
void echo_of(const setting& s, T (*task)(T), T data) {
  const T expected = data;
  std::vector<double> seconds;
  for (std::size_t r = 0; r <= s.args.count(2, 5); ++r) {
    const auto begin = clock_type::now();
    data = s.pool.submit(task, std::move(data)).result();
    if (r > 0) seconds.push_back(seconds_since(begin));  // the first repetition allocates the pages
  }
  require(data == expected);
  print_bandwidth(s.args.count(1, 64), seconds);
}

// Submits tasks with arrays all at once, and collects the results.
void echo_queue(const setting& s) {
  const std::vector<double> data(s.args.count(1, 4) << 17, 1.5);
  const std::size_t tasks = s.args.count(2, 100);
  std::vector<double> seconds;
  for (int r = 0; r < 4; ++r) {
    std::vector<rankpool::future<std::vector<double>>> results;
    const auto begin = clock_type::now();
    for (std::size_t t = 0; t < tasks; ++t) results.push_back(s.pool.submit(echo, data));
    for (auto& result : results) require(std::move(result).result().size() == data.size());
    if (r > 0) seconds.push_back(seconds_since(begin) / static_cast<double>(tasks));
  }
  print_bandwidth(s.args.count(1, 4), seconds);
}

void echo_numbers(const setting& s) {
  std::vector<double> data(s.args.count(1, 64) << 17);
  std::iota(data.begin(), data.end(), 0.0);
  echo_of(s, echo, std::move(data));
}

void echo_text(const setting& s) {
  const std::size_t length = s.args.count(3, 64);
  const std::size_t mib = s.args.count(1, 64);
  const std::vector<std::string> strings((mib << 20) / length, std::string(length, 'x'));
  // The upper limit: two copies, because both sides create their own strings.
  std::vector<double> seconds;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto begin = clock_type::now();
    {
      const auto there = strings;
      const auto back = there;
      require(back.size() == strings.size());
    }
    seconds.push_back(seconds_since(begin));
  }
  std::printf("copies_GBps %.3f\n", 2.0 * static_cast<double>(mib << 20) / quantile(seconds, 0.5) / 1e9);
  echo_of(s, echo_strings, strings);
}

// CPU time of all ranks while one task sleeps.
void idle(const setting& s) {
  const double seconds = s.args.number(1, 10);
  const double cpu = cpu_seconds_of_all(s.cluster);
  const auto begin = clock_type::now();
  (void)s.pool.submit(nap, seconds).result();
  std::printf("all_ranks_cpu_percent %.2f\n", 100 * (cpu_seconds_of_all(s.cluster) - cpu) / seconds_since(begin));
}

// Time from submit to the task's first instruction, after some idle seconds.
void wake(const setting& s) {
  std::vector<double> us;
  for (std::size_t i = 0; i < s.args.count(2, 1); ++i) {
    (void)nap(s.args.number(1, 60));
    const auto begin = now();
    us.push_back(static_cast<double>(s.pool.submit(now).result() - begin) / 1000);
  }
  std::printf("first_task_us_p50 %.1f\nfirst_task_us_max %.1f\n", quantile(us, 0.5), quantile(us, 1));
}

// Resident bytes of rank 0 for each pending task, including its future.
void memory(const setting& s) {
  const std::size_t n = s.args.count(1, 1'000'000);
  std::vector<rankpool::future<double>> naps;
  for (int w = 0; w < s.pool.num_workers(); ++w) naps.push_back(s.pool.submit(nap, 2.0));
  (void)nap(0.1);
  std::vector<rankpool::future<std::int64_t>> futures;
  const double before = status_bytes("VmRSS");
  futures.reserve(n);
  for (std::size_t i = 0; i < n; ++i) futures.push_back(s.pool.submit(null, static_cast<std::int64_t>(i)));
  (void)nap(0.5);
  std::printf("bytes_per_task %.1f\n", (status_bytes("VmRSS") - before) / static_cast<double>(n));
}

// The time of a sum over n integers, and the peak memory of rank 0.
void reduce(const setting& s) {
  const auto n = static_cast<std::int64_t>(s.args.number(1, 1e9));
  const auto begin = clock_type::now();
  const auto sum = s.pool.transform_reduce(std::views::iota(std::int64_t{0}, n), std::uint64_t{0}, std::plus<>{},
                                           [](std::int64_t x) { return static_cast<std::uint64_t>(x); });
  std::printf("seconds %.3f\npeak_MB %.1f\n", seconds_since(begin), status_bytes("VmHWM") / 1e6);
  require(sum == static_cast<std::uint64_t>(static_cast<unsigned __int128>(n) * static_cast<std::uint64_t>(n - 1) / 2));
}

/// Returns the proportional set size of a process in bytes, which counts a share of its shared memory.
double proportional_bytes(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; in >> word;) {
    if (word != "Pss:") continue;
    double kibibytes = 0;
    in >> kibibytes;
    return kibibytes * 1024;
  }
  throw std::runtime_error("no Pss of process " + std::to_string(pid));
}

double bytes_of_all(const rankpool::cluster& cluster) {
  double sum = proportional_bytes(getpid());
  for (const auto& worker : cluster.workers()) sum += worker.pid == getpid() ? 0 : proportional_bytes(worker.pid);
  return sum;
}

double add_up(const rankpool::shared<std::vector<double>>& numbers) {
  (void)nap(0.05);  // so that every worker gets one task
  return std::accumulate(numbers->begin(), numbers->end(), 0.0);
}

// The memory that a shared array adds to the node after every worker has read all of it, and the bandwidth of share.
void share(const setting& s) {
  const std::size_t mib = s.args.count(1, 1024);
  const double before = bytes_of_all(s.cluster);
  std::vector<double> numbers(mib << 17, 1.0);
  const auto begin = clock_type::now();
  const auto shared = s.pool.share(std::move(numbers));
  const double seconds = seconds_since(begin);
  numbers = {};
  for (int round = 0; round < 2; ++round) {
    std::vector<rankpool::future<double>> sums;
    for (int w = 0; w < s.pool.num_workers(); ++w) sums.push_back(s.pool.submit(add_up, shared));
    for (const auto& sum : sums) require(sum.result() == static_cast<double>(mib << 17));
  }
  std::printf("added_MiB %.0f\nshare_GBps %.2f\n", (bytes_of_all(s.cluster) - before) / (1 << 20),
              static_cast<double>(mib << 20) / seconds / 1e9);
}

std::uint64_t cube(std::int64_t x) {
  const auto u = static_cast<std::uint64_t>(x);
  return u * u * u;
}

// The sum of n cubes on all workers, compared with a loop on one core.
void cubes(const setting& s) {
  const auto n = static_cast<std::int64_t>(s.args.number(1, 1e9));
  const auto begin = clock_type::now();
  const std::uint64_t parallel = s.pool.transform_reduce(std::views::iota(std::int64_t{0}, n), std::uint64_t{0}, std::plus<>{},
                                                         [](std::int64_t x) { return cube(x); });
  const double on_workers = seconds_since(begin);
  const auto loop_begin = clock_type::now();
  std::uint64_t loop = 0;
  for (std::int64_t i = 0; i < n; ++i) loop += cube(i);
  const double alone = seconds_since(loop_begin);
  require(parallel == loop);
  std::printf("seconds %.3f\nspeedup %.3f\n", on_workers, alone / on_workers);
}

const std::map<std::string, void (*)(const setting&)>& modes() {
  static const std::map<std::string, void (*)(const setting&)> all{
      {"throughput", throughput}, {"map", map_items}, {"latency", latency},   {"grain", grain},
      {"journal", journalled},    {"mixed", mixed},   {"echo", echo_numbers}, {"echo-strings", echo_text},
      {"echo-queue", echo_queue}, {"idle", idle},     {"wake", wake},         {"share", share},
      {"memory", memory},         {"reduce", reduce}, {"cubes", cubes}};
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const arguments args(argc, argv);
  rankpool::run_options settings;
  if (const char* file = std::getenv("RANKPOOL_BENCH_TRACE")) settings.trace = file;
  const auto program = [&](rankpool::cluster& cluster) {
    rankpool::executor_options options;
    if (std::getenv("RANKPOOL_BENCH_ISOLATED") != nullptr) options.isolation = rankpool::isolation::process;
    rankpool::executor pool(cluster, options);
    for (const std::int64_t x : pool.map(null, std::views::iota(std::int64_t{0}, std::int64_t{64}))) (void)x;  // starts all workers
    const auto mode = modes().find(args.text(0, "throughput"));
    if (mode == modes().end()) throw std::invalid_argument("unknown mode '" + args.text(0, "") + "'");
    mode->second({cluster, pool, args});
  };
  return rankpool::run(argc, argv, program, settings);
}
