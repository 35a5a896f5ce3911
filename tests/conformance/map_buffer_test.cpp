// map with a buffersize, for infinite inputs; and with unordered results.
#include "support/gate.hpp"
#include "support/sources.hpp"
#include "support/tasks.hpp"
#include "support/tracked.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace support;

namespace {

tracked track_item(const tracked& item) { return tracked(item.value() + 1); }

std::vector<int> sorted(std::vector<int> values) {
  std::ranges::sort(values);
  return values;
}

std::size_t length_of(const std::string& text) { return text.size(); }

int alive_during(const tracked&) { return tracked::alive(); }

/// Leaves a mark named after its worker and waits for the gate, so that every worker runs one. Returns the rank and its instances.
std::pair<int, int> alive_here(const std::string& marks, const std::string& gate_path) {
  const int rank = rank_of_worker();
  leave_mark(marks + "/" + std::to_string(rank));
  pass(gate_path, 0);
  return {rank, tracked::alive()};
}

std::map<int, int> alive_on_each_worker(rankpool::executor& pool) {
  gate all_are_here;
  const scratch_directory here;
  std::vector<rankpool::future<std::pair<int, int>>> tasks;
  for (int i = 0; i < workers(); ++i) tasks.push_back(pool.submit(alive_here, here.path().string(), all_are_here.path()));
  if (!is_inline()) REQUIRE(eventually([&] { return here.files() == workers(); }));
  all_are_here.open();
  std::map<int, int> alive;
  for (auto& task : tasks) alive.insert(task.result());
  return alive;
}

}  // namespace

TEST_CASE("buffers of one, two, n and twice n items give the same results", "[map/buffersize]") {
  rankpool::executor pool(cluster());
  for (const int buffersize : {1, 2, 40, 80}) {
    CAPTURE(buffersize);
    CHECK(collect(pool.map({.buffersize = buffersize}, square, numbers(40))) == squares(40));
  }
}

TEST_CASE("a chunk size and a buffersize give the same for large items, which are sent one by one", "[map/buffer-and-chunks]") {
  rankpool::executor pool(cluster());
  const auto texts = std::views::iota(0, 30) | std::views::transform([](int n) { return std::string(300'000 + n, 'x'); });
  std::vector<std::size_t> expected;
  for (std::size_t n = 0; n < 30; ++n) expected.push_back(300'000 + n);
  CHECK(collect(pool.map({.chunksize = 3, .buffersize = 16}, length_of, texts)) == expected);
}

TEST_CASE("every pair of buffersize and chunksize gives the same results", "[map/buffer-and-chunks][map/input-thread]") {
  rankpool::executor pool(cluster());
  for (const int buffersize : {1, 2, 3, 10, 33, 100}) {
    for (const int chunksize : {0, 1, 2, 5, 33, 100}) {
      CAPTURE(buffersize, chunksize);
      const rankpool::map_options options{.chunksize = chunksize, .buffersize = buffersize};
      CHECK(collect(pool.map(options, square, numbers(33))) == squares(33));
      counted_source source(33);
      CHECK(collect(pool.map(options, square, source)) == squares(33));
      CHECK(source.read_by_owner_alone());
    }
  }
}

TEST_CASE("with a full buffer exactly buffersize items were taken from the input", "[map/buffer-exact]") {
  rankpool::executor pool(cluster());
  for (const int buffersize : {1, 2, 7, 30}) {
    CAPTURE(buffersize);
    counted_source source;
    auto results = pool.map({.chunksize = 1, .buffersize = buffersize}, square, source);
    CHECK(source.taken() == buffersize);
    auto item = results.begin();
    for (int yielded = 1; yielded <= 20; ++yielded, ++item) {
      CHECK(*item == (yielded - 1) * (yielded - 1));
      CHECK(source.taken() >= buffersize);
      CHECK(source.taken() <= buffersize + yielded);
    }
  }
}

TEST_CASE("a buffer never holds more than buffersize items, with chunks too", "[map/buffer-exact]") {
  rankpool::executor pool(cluster());
  for (const int chunksize : {0, 2, 5, 100}) {
    CAPTURE(chunksize);
    constexpr int buffersize = 12;
    counted_source source;
    int yielded = 0;
    bool bounded = true;
    for (const int n : pool.map({.chunksize = chunksize, .buffersize = buffersize}, identity, source)) {
      CHECK(n == yielded);
      ++yielded;
      bounded = bounded && source.taken() <= buffersize + yielded;
      if (yielded == 100) break;
    }
    CHECK(bounded);
  }
  check_computes(pool);
}

TEST_CASE("with a buffersize, the input may be infinite", "[map/endless]") {
  rankpool::executor pool(cluster());
  int expected = 0;
  for (const int n : pool.map({.buffersize = 16}, square, std::views::iota(0))) {
    CHECK(n == expected * expected);
    if (++expected == 200) break;
  }
  counted_source endless;
  auto results = pool.map({.buffersize = 5, .ordered = false}, identity, endless);
  auto item = results.begin();
  std::vector<int> seen;
  for (int i = 0; i < 50; ++i, ++item) seen.push_back(*item);
  seen = sorted(seen);
  CHECK(std::ranges::adjacent_find(seen) == seen.end());
  CHECK(std::ranges::max(seen) < 60);
  check_computes(pool);
}

TEST_CASE("unordered results are the same values in some order, with chunks and buffers too",
          "[map/unordered][map/unordered-buffer]") {
  rankpool::executor pool(cluster());
  for (const int chunksize : {0, 1, 3, 50, 200}) {
    for (const int buffersize : {0, 1, 4, 100}) {
      CAPTURE(chunksize, buffersize);
      const rankpool::map_options options{.chunksize = chunksize, .buffersize = buffersize, .ordered = false};
      CHECK(sorted(collect(pool.map(options, square, numbers(50)))) == squares(50));
    }
  }
}

TEST_CASE("unordered results are yielded as they complete", "[ranks]") {
  if (workers() < 2) return;
  rankpool::executor pool(cluster());
  gate gate;
  const std::string open = scratch_directory().file("gone");
  // The first item waits at its gate. The gates of the others do not exist, so they pass at once.
  std::vector<std::string> paths(6, open);
  paths.front() = gate.path();
  auto results = pool.map({.chunksize = 1, .ordered = false}, pass, paths, numbers(6));
  auto item = results.begin();
  std::vector<int> seen;
  for (int i = 0; i < 3; ++i, ++item) seen.push_back(*item);
  CHECK(std::ranges::count(seen, 0) == 0);
  gate.open();
  for (; item != results.end(); ++item) seen.push_back(*item);
  CHECK(sorted(seen) == numbers(6));
}

TEST_CASE("unordered results continue after an error", "[map/unordered-error][fault]") {
  rankpool::executor pool(cluster());
  for (const int buffersize : {0, 3}) {
    for (const int chunksize : {1, 4}) {
      auto lines = readings(
          pool.map({.chunksize = chunksize, .buffersize = buffersize, .ordered = false}, square_unless_fifth, numbers(11)));
      std::ranges::sort(lines);
      CHECK(lines == std::vector<std::string>{"1", "16", "36", "4", "49", "64", "81", "9", "error: no multiple of 5: 0",
                                              "error: no multiple of 5: 10", "error: no multiple of 5: 5"});
    }
  }
  check_computes(pool);
}

TEST_CASE("arguments and results are freed once they are yielded", "[map/freed]") {
  const int before = tracked::alive();
  {
    rankpool::executor pool(cluster());
    int most = 0;
    int yielded = 0;
    auto items = std::views::iota(0, 500) | std::views::transform([](int n) { return tracked(n); });
    for (const auto& item : pool.map({.chunksize = 1, .buffersize = 8}, track_item, items)) {
      CHECK(item.value() == ++yielded);
      most = std::max(most, tracked::alive() - before);
    }
    CHECK(yielded == 500);
    CHECK(most <= 2 * 8 + 8);
  }
  CHECK(tracked::alive() == before);
}

TEST_CASE("a worker holds no more of a map than the item that it works on", "[map/freed]") {
  rankpool::executor pool(cluster());
  const auto before = alive_on_each_worker(pool);
  const std::vector<tracked> items(300);
  const bool one_process = is_inline() || are_threads();
  const int here = one_process ? static_cast<int>(items.size()) : 0;
  const int in_work = one_process ? workers() + 1 : 1;  // in one process, also the item that rank 0 is reading
  const int most_before = std::ranges::max(before | std::views::values);
  for (const int chunksize : {0, 1, 50}) {
    CAPTURE(chunksize);
    for (const tracked& item : pool.map({.chunksize = chunksize}, track_item, items)) CHECK(item.value() == 1);
    CHECK(std::ranges::max(collect(pool.map({.chunksize = chunksize}, alive_during, items))) <= most_before + here + in_work);
  }
  for (const auto& [rank, alive] : alive_on_each_worker(pool)) CHECK(alive == before.at(rank) + here);
}

TEST_CASE("the argument and the result of a task are freed with its future") {
  const int before = tracked::alive();
  rankpool::executor pool(cluster());
  {
    std::vector<rankpool::future<tracked>> tasks;
    for (int n = 0; n < 20; ++n) tasks.push_back(pool.submit(track_item, tracked(n)));
    for (int n = 0; n < 20; ++n) CHECK(tasks[static_cast<std::size_t>(n)].result().value() == n + 1);
  }
  CHECK(eventually([&] { return tracked::alive() == before; }));
}

TEST_CASE("other tasks run while a map reads an infinite input", "[ranks][map/fair]") {
  rankpool::executor pool(cluster());
  std::atomic<bool> enough = false;
  std::thread reader([&] {
    for (const int n : pool.map({.buffersize = 200}, identity, std::views::iota(0))) {
      if (enough || n < 0) break;
    }
  });
  CHECK(pool.submit(square, 5).result(20s) == 25);
  int read = 0;
  auto other = pool.map({.buffersize = 10, .timeout = 20s}, identity, std::views::iota(0));
  for (const int n : other) {
    CHECK(n == read);
    if (++read == 100) break;
  }
  enough = true;
  reader.join();
  CHECK(read == 100);
}

TEST_CASE("if reading the input fails, the results of the items before come first, then the error, then the end",
          "[fault][map/input-error]") {
  for (const int buffersize : {1, 4, 64}) {
    rankpool::executor pool(cluster());
    auto failing = std::views::iota(0, 20) | std::views::transform([](int n) {
                     if (n == 13) throw std::domain_error("unreadable");
                     return n;
                   });
    std::vector<std::string> seen;
    try {
      auto results = pool.map({.buffersize = buffersize}, identity, failing);
      seen = readings(results);
    } catch (const std::domain_error&) {  // thrown by the call of map, because the buffer holds the whole input
      seen.push_back("thrown");
    }
    CAPTURE(buffersize);
    if (buffersize < 13) {
      REQUIRE(seen.size() == 14);
      CHECK(seen[12] == "12");
      CHECK(seen[13] == "error: unreadable");
    } else {
      CHECK(seen == std::vector<std::string>{"thrown"});
    }
    check_computes(pool);
  }
}
