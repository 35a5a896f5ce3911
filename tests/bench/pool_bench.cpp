// What the pool itself costs: tasks a second, round trip, efficiency at a grain, echo bandwidth, idle CPU.
//
//   mpirun -n 3 --oversubscribe --bind-to none ./pool_bench MODE [ARGS]
//   MODE: throughput N | latency N | grain MICROSECONDS N | echo MIB REPEATS | idle SECONDS | startup
//
// Prints `key value` lines under the names that the peers' drivers use, so that runs can be set side by side.
#include <rankpool/rankpool.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point t) { return std::chrono::duration<double>(clock_type::now() - t).count(); }

std::int64_t null(std::int64_t x) { return x; }

double spin(double microseconds) {
  const auto end = clock_type::now() + std::chrono::nanoseconds(static_cast<std::int64_t>(microseconds * 1000));
  while (clock_type::now() < end) {
  }
  return microseconds;
}

std::vector<double> echo(std::vector<double> data) { return data; }

double nap(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return seconds;
}

void require(bool holds) {
  if (!holds) throw std::runtime_error("wrong result");
}

void throughput(rankpool::executor& pool, std::int64_t n) {
  const std::int64_t expected = n * (n - 1) / 2;
  auto t = clock_type::now();
  std::vector<rankpool::future<std::int64_t>> futures;
  futures.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) futures.push_back(pool.submit(null, i));
  std::int64_t total = 0;
  for (const auto& f : futures) total += f.result();
  std::printf("submit_tasks_per_s %.0f\n", static_cast<double>(n) / seconds_since(t));
  require(total == expected);
  for (const long long chunk : {1LL, 64LL, 1024LL, 0LL}) {
    t = clock_type::now();
    total = 0;
    for (const std::int64_t x : pool.map({.chunksize = chunk}, null, std::views::iota(std::int64_t{0}, n))) total += x;
    std::printf("map_chunk%s_items_per_s %.0f\n", chunk == 0 ? "_auto" : std::to_string(chunk).c_str(),
                static_cast<double>(n) / seconds_since(t));
    require(total == expected);
  }
}

void latency(rankpool::executor& pool, std::size_t n) {
  std::vector<double> us(n);
  for (double& u : us) {
    const auto t = clock_type::now();
    (void)pool.submit(null, 1).result();
    u = seconds_since(t) * 1e6;
  }
  std::sort(us.begin(), us.end());
  std::printf("latency_us_p50 %.1f\nlatency_us_p99 %.1f\n", us[n / 2], us[n * 99 / 100]);
}

void grain(rankpool::executor& pool, double us, std::size_t n) {
  const auto t = clock_type::now();
  std::vector<rankpool::future<double>> futures;
  for (std::size_t i = 0; i < n; ++i) futures.push_back(pool.submit(spin, us));
  for (const auto& f : futures) (void)f.result();
  std::printf("grain_us %g efficiency %.3f\n", us,
              static_cast<double>(n) * us / 1e6 / pool.num_workers() / seconds_since(t));
}

void echo_bandwidth(rankpool::executor& pool, std::size_t mib, int repeats) {
  std::vector<double> data(mib << 17);
  std::iota(data.begin(), data.end(), 0.0);
  double best = 1e9;
  for (int r = 0; r <= repeats; ++r) {
    const auto t = clock_type::now();
    const auto out = pool.submit(echo, data).result();
    if (r > 0) best = std::min(best, seconds_since(t));
    require(out.back() == data.back());
  }
  std::printf("echo_GBps %.2f\n", 2.0 * static_cast<double>(data.size()) * 8 / best / 1e9);
}

void idle(rankpool::executor& pool, double seconds) {
  const auto cpu = std::clock();
  const auto t = clock_type::now();
  (void)pool.submit(nap, seconds).result();
  std::printf("manager_idle_cpu_percent %.1f\n", 100.0 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC / seconds_since(t));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    const auto at = [&](std::size_t i, const char* otherwise) { return i < args.size() ? args[i] : std::string(otherwise); };
    rankpool::executor pool(cluster);
    for (const std::int64_t x : pool.map(null, std::views::iota(std::int64_t{0}, std::int64_t{64}))) (void)x;  // start every worker
    const std::string mode = at(0, "throughput");
    if (mode == "throughput") {
      throughput(pool, std::stoll(at(1, "100000")));
    } else if (mode == "latency") {
      latency(pool, std::stoul(at(1, "10000")));
    } else if (mode == "grain") {
      grain(pool, std::stod(at(1, "100")), std::stoul(at(2, "20000")));
    } else if (mode == "echo") {
      echo_bandwidth(pool, std::stoul(at(1, "64")), std::stoi(at(2, "5")));
    } else if (mode == "idle") {
      idle(pool, std::stod(at(1, "2")));
    } else {
      throw std::invalid_argument("unknown mode '" + mode + "'");
    }
  });
}
