// Tasks that many tests use, and the check at the end of every fault test that the pool still computes.
#pragma once

#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/record.hpp"
#include "support/results.hpp"

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace support {

using namespace std::chrono_literals;

inline int square(int n) { return n * n; }

inline int add(int a, int b) { return a + b; }

inline void nothing() {}

inline int identity(int n) { return n; }

inline int rank_of_worker() { return rankpool::this_worker::rank(); }

inline int fail(const std::string& message) { throw std::runtime_error(message); }

/// Returns the square. Throws: std::invalid_argument "no multiple of 5: n" for multiples of 5.
inline int square_unless_fifth(int n) {
  if (n % 5 == 0) throw std::invalid_argument("no multiple of 5: " + std::to_string(n));
  return n * n;
}

/// Sleeps for a time, then returns `value`.
inline int take(std::chrono::microseconds time, int value) {
  std::this_thread::sleep_for(time);
  return value;
}

/// Returns 0, 1 ... count - 1.
inline std::vector<int> numbers(int count) {
  std::vector<int> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

/// Returns the squares of 0, 1 ... count - 1.
inline std::vector<int> squares(int count) {
  std::vector<int> result = numbers(count);
  for (int& n : result) n = square(n);
  return result;
}

/// Checks that `pool` still computes. Call it at the end of a fault test.
inline void check_computes(rankpool::executor& pool) {
  note_computed();
  CHECK(pool.submit(add, 40, 2).result() == 42);
  CHECK(collect(pool.map(square, numbers(50))) == squares(50));
}

/// Checks that a new executor on the same workers computes. Call it at the end of a fault test that breaks its executor.
inline void check_cluster_computes() {
  rankpool::executor pool(cluster());
  check_computes(pool);
}

}  // namespace support
