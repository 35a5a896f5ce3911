// Large numbers of tasks, items and bytes. This is a separate program because it takes longer than all conformance tests.
#include "support/tasks.hpp"

#include <malloc.h>

#include <cstddef>
#include <fstream>
#include <functional>
#include <ranges>
#include <string>
#include <vector>

using namespace support;

namespace {

/// Returns the peak memory of this process since forget_peak(), in bytes.
std::size_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmHWM:") {
  }
  std::size_t kilobytes = 0;
  status >> kilobytes;
  return kilobytes * 1024;
}

/// Returns free memory to the system, and resets the peak.
void forget_peak() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;
}

constexpr std::size_t beyond_int = (std::size_t{1} << 31) + 4096;

std::size_t checked_size(const std::vector<char>& bytes) { return bytes.front() == 'a' && bytes.back() == 'z' ? bytes.size() : 0; }

constexpr std::size_t beyond_one_message = (std::size_t{1} << 30) + 4096;

std::size_t kept_size = 0;
void keep_checked_size(const std::vector<char>& bytes) { kept_size = checked_size(bytes); }

std::vector<char> bytes_from_a_to_z(std::size_t size) {
  std::vector<char> bytes(size);
  bytes.front() = 'a';
  bytes.back() = 'z';
  return bytes;
}

}  // namespace

TEST_CASE("a million tasks may be pending", "[scale/million]") {
  rankpool::executor pool(cluster());
  constexpr int count = 1'000'000;
  std::vector<rankpool::future<int>> tasks;
  tasks.reserve(count);
  for (int n = 0; n < count; ++n) tasks.push_back(pool.submit(identity, n));
  int wrong = 0;
  for (int n = 0; n < count; ++n) wrong += tasks[static_cast<std::size_t>(n)].result() != n;
  CHECK(wrong == 0);
}

TEST_CASE("a map over a hundred million integers takes bounded memory", "[scale/bounded]") {
  rankpool::executor pool(cluster());
  forget_peak();
  const std::size_t before = peak_bytes();
  long sum = 0;
  for (const int n : pool.map({.buffersize = 1'000'000}, identity, std::views::iota(0, 100'000'000))) sum += n;
  CHECK(sum == 99'999'999L * 100'000'000L / 2);
  CHECK(peak_bytes() - before < 100'000'000);
}

TEST_CASE("transform_reduce over five billion integers takes no memory for them") {
  rankpool::executor pool(cluster());
  forget_peak();
  const std::size_t before = peak_bytes();
  constexpr long n = 5'000'000'000;
  const auto odd = [](long k) { return k & 1; };
  CHECK(pool.transform_reduce(std::views::iota(0L, n), 0L, std::plus<>{}, odd) == n / 2);
  CHECK(peak_bytes() - before < 50'000'000);
}

TEST_CASE("the arguments of an initializer may be over 1 GiB", "[ranks]") {
  rankpool::executor pool(
      cluster(), {.max_workers = 1, .initializer = rankpool::partial(keep_checked_size, bytes_from_a_to_z(beyond_one_message))});
  CHECK(pool.submit([] { return kept_size; }).result() == beyond_one_message);
  check_computes(pool);
}

TEST_CASE("arguments and results may be over 2 GiB", "[travel/two-gib][ranks]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  CHECK(pool.submit(checked_size, bytes_from_a_to_z(beyond_int)).result() == beyond_int);
  CHECK(checked_size(pool.submit(bytes_from_a_to_z, beyond_int).result()) == beyond_int);
  check_computes(pool);
}
