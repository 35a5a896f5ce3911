// The tasks that all C++ benchmarks run and the lines that they print, so that their figures can be compared.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace bench {

using clock_type = std::chrono::steady_clock;

inline double seconds_since(clock_type::time_point t) { return std::chrono::duration<double>(clock_type::now() - t).count(); }

// ---- tasks

/// Keeps a core busy for a number of microseconds.
inline double spin(double microseconds) {
  const auto end = clock_type::now() + std::chrono::nanoseconds(static_cast<std::int64_t>(microseconds * 1000));
  while (clock_type::now() < end) {
  }
  return microseconds;
}

/// Returns n shuffled task lengths from 1 us to 100 ms, evenly distributed on a logarithmic scale.
inline std::vector<double> mixed_lengths(std::size_t n, std::size_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> lengths(n);
  for (std::size_t i = 0; i < n; ++i) {  // not random, so that every seed has the same sum
    lengths[i] = std::pow(10.0, 5.0 * (static_cast<double>(i) + 0.5) / static_cast<double>(n));
  }
  std::shuffle(lengths.begin(), lengths.end(), random);
  return lengths;
}

// ---- the command line

class arguments {
 public:
  arguments(int argc, char** argv) : given_(argv + 1, argv + argc) {}

  std::string text(std::size_t i, const char* otherwise) const { return i < given_.size() ? given_[i] : otherwise; }
  double number(std::size_t i, double otherwise) const { return i < given_.size() ? std::stod(given_[i]) : otherwise; }
  std::size_t count(std::size_t i, std::size_t otherwise) const {
    return i < given_.size() ? static_cast<std::size_t>(std::stod(given_[i])) : otherwise;
  }

 private:
  std::vector<std::string> given_;
};

// ---- results

inline double quantile(std::vector<double> values, double q) {
  const auto at = std::min(static_cast<std::size_t>(q * static_cast<double>(values.size())), values.size() - 1);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

inline void print_latency(const std::vector<double>& us) {
  std::printf("latency_us_p50 %.2f\nlatency_us_p99 %.2f\n", quantile(us, 0.5), quantile(us, 0.99));
}

/// Prints the share of the workers' time that was spent in n tasks of `us` microseconds.
inline void print_grain(double us, std::size_t n, int workers, double seconds) {
  std::printf("efficiency %.4f\n", static_cast<double>(n) * us / 1e6 / workers / seconds);
}

/// Prints the time relative to that of workers that are never idle.
inline void print_mixed(const std::vector<double>& us, int workers, double seconds) {
  std::printf("over_ideal %.4f\n", seconds / (std::accumulate(us.begin(), us.end(), 0.0) / 1e6 / workers));
}

/// Prints the bandwidth of sending an array to a task and back, from the times of all repetitions.
inline void print_bandwidth(std::size_t mib, const std::vector<double>& seconds) {
  std::printf("echo_GBps %.3f\n", 2.0 * static_cast<double>(mib << 20) / quantile(seconds, 0.5) / 1e9);
}

}  // namespace bench
