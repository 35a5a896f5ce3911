// The tasks that many tests share, and the question that ends every fault test: does the pool still compute?
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

/// Squares, but throws std::invalid_argument "no multiple of 5: n" for those.
inline int square_unless_fifth(int n) {
  if (n % 5 == 0) throw std::invalid_argument("no multiple of 5: " + std::to_string(n));
  return n * n;
}

/// Stays busy for a while, then returns `value`.
inline int take(std::chrono::microseconds time, int value) {
  std::this_thread::sleep_for(time);
  return value;
}

/// 0, 1 ... count - 1.
inline std::vector<int> numbers(int count) {
  std::vector<int> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

/// The squares of 0, 1 ... count - 1.
inline std::vector<int> squares(int count) {
  std::vector<int> result = numbers(count);
  for (int& n : result) n = square(n);
  return result;
}

/// Ends a fault test: `pool` goes on as if nothing had happened.
inline void check_computes(rankpool::executor& pool) {
  note_computed();
  CHECK(pool.submit(add, 40, 2).result() == 42);
  CHECK(collect(pool.map(square, numbers(50))) == squares(50));
}

/// Ends a fault test that has cost the executor: the next one on the same workers is sound.
inline void check_cluster_computes() {
  rankpool::executor pool(cluster());
  check_computes(pool);
}

}  // namespace support
