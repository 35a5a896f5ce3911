// map: the results of a sequential loop, in order, for any ranges and chunk sizes.
#include "support/box.hpp"
#include "support/gate.hpp"
#include "support/sizes.hpp"
#include "support/sources.hpp"
#include "support/tasks.hpp"

#include <array>
#include <list>
#include <map>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace support;

namespace {

int three(int a, int b, int c) { return 100 * a + 10 * b + c; }

std::string repeat(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

std::unique_ptr<box> boxed(int n) { return std::make_unique<box>(box{n}); }

int unboxed(std::unique_ptr<box> content) { return content->value; }

long widened(long n) { return 2 * n; }

struct scale {
  int factor = 1;
  int operator()(int n) const { return factor * n; }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & factor;
  }
};

}  // namespace

static_assert(std::ranges::input_range<rankpool::map_results<int>>);
static_assert(std::movable<rankpool::map_results<int>>);
static_assert(!std::copyable<rankpool::map_results<int>>);

TEST_CASE("map returns the results of a sequential loop, in order", "[map/order]") {
  rankpool::executor pool(cluster());
  CHECK(collect(pool.map(square, numbers(1000))) == squares(1000));
}

TEST_CASE("map gives its results in input order even if later ones are ready first", "[map/order]") {
  rankpool::executor pool(cluster());
  const std::vector<std::chrono::microseconds> times{20ms, 1us, 10ms, 1us, 1us, 5ms, 1us};
  CHECK(collect(pool.map({.chunksize = 1}, take, times, numbers(7))) == numbers(7));
}

TEST_CASE("map zips several ranges to the shortest", "[map/ranges]") {
  rankpool::executor pool(cluster());
  const std::vector ones{1, 2, 3, 4, 5};
  const std::list tens{7, 8, 9};
  const std::array<int, 4> hundreds{1, 1, 2, 2};
  CHECK(collect(pool.map(three, hundreds, tens, ones)) == std::vector{171, 182, 293});
  CHECK(collect(pool.map(add, ones, std::vector<int>{})).empty());
  CHECK(collect(pool.map(add, std::views::iota(0), ones)) == std::vector{1, 3, 5, 7, 9});
}

TEST_CASE("map of an empty range is empty", "[map/empty]") {
  rankpool::executor pool(cluster());
  CHECK(collect(pool.map(square, std::vector<int>{})).empty());
  CHECK(collect(pool.map(square, std::views::iota(5, 5))).empty());
  CHECK(collect(pool.map({.chunksize = 10}, square, std::vector<int>{})).empty());
  CHECK(collect(pool.map({.buffersize = 3}, square, std::vector<int>{})).empty());
}

TEST_CASE("map gives the same results for chunks that divide the input, do not divide it, or exceed it", "[map/chunksize]") {
  rankpool::executor pool(cluster());
  for (const int chunksize : {1, 2, 3, 7, 10, 50, 99, 100, 101, 100'000}) {
    CAPTURE(chunksize);
    CHECK(collect(pool.map({.chunksize = chunksize}, square, numbers(100))) == squares(100));
  }
}

TEST_CASE("map takes an initializer list, and keeps its items as long as necessary") {
  rankpool::executor pool(cluster());
  CHECK(collect(pool.map(square, {1, 2, 3})) == std::vector{1, 4, 9});
  CHECK(collect(pool.map({.buffersize = 1}, square, {1, 2, 3})) == std::vector{1, 4, 9});
  CHECK(collect(pool.map(square, std::initializer_list<int>{})).empty());
}

TEST_CASE("map refuses sizes below zero", "[fault]") {
  rankpool::executor pool(cluster());
  CHECK_THROWS_AS(pool.map({.chunksize = -1}, square, numbers(3)), std::invalid_argument);
  CHECK_THROWS_AS(pool.map({.buffersize = -1}, square, numbers(3)), std::invalid_argument);
  CHECK_THROWS_AS(pool.starmap({.chunksize = -1}, add, std::vector<std::tuple<int, int>>{{1, 2}}), std::invalid_argument);
  check_computes(pool);
}

TEST_CASE("map takes borrowed, owned and lazy ranges") {
  rankpool::executor pool(cluster());
  std::vector<int> borrowed = numbers(30);
  const std::vector<int> constant = numbers(30);
  CHECK(collect(pool.map(square, borrowed)) == squares(30));
  CHECK(collect(pool.map(square, constant)) == squares(30));
  CHECK(collect(pool.map(square, std::views::iota(0, 30))) == squares(30));
  CHECK(collect(pool.map(identity, borrowed | std::views::transform(square))) == squares(30));
  CHECK(collect(pool.map(square, std::views::iota(0) | std::views::take(30))) == squares(30));
  const std::map<std::string, int> table{{"a", 1}, {"b", 2}};
  CHECK(collect(pool.map(square, table | std::views::values)) == std::vector{1, 4});
}

TEST_CASE("map reads a borrowed range during the call") {
  rankpool::executor pool(cluster());
  std::vector<int> borrowed = numbers(500);
  auto results = pool.map(square, borrowed);
  borrowed.assign(500, -1);
  CHECK(collect(std::move(results)) == squares(500));
}

TEST_CASE("an input range is read to its end, on the caller's thread only", "[map/input-thread]") {
  rankpool::executor pool(cluster());
  counted_source source(100);
  CHECK(collect(pool.map(square, source)) == squares(100));
  CHECK(source.taken() == 100);
  CHECK(source.read_by_owner_alone());
}

TEST_CASE("map takes ranges of consecutive integers of every kind") {
  rankpool::executor pool(cluster());
  CHECK(collect(pool.map(square, std::views::iota(-3, 3))) == std::vector{9, 4, 1, 0, 1, 4});
  constexpr long far = 1'000'000'000'000;
  CHECK(collect(pool.map(widened, std::views::iota(far, far + 3))) == std::vector<long>{2 * far, 2 * far + 2, 2 * far + 4});
  CHECK(collect(pool.map(widened, std::views::iota(1, 4))) == std::vector<long>{2, 4, 6});
  CHECK(collect(pool.map(widened, std::views::iota(std::uint8_t{250}, std::uint8_t{253}))) == std::vector<long>{500, 502, 504});
}

TEST_CASE("map takes the kinds of callables that submit takes") {
  rankpool::executor pool(cluster());
  CHECK(collect(pool.map(scale{3}, numbers(4))) == std::vector{0, 3, 6, 9});
  CHECK(collect(pool.map(rankpool::partial(add, 10), numbers(4))) == std::vector{10, 11, 12, 13});
  CHECK(collect(pool.map([](int n) { return n - 1; }, numbers(4))) == std::vector{-1, 0, 1, 2});
  CHECK(collect(pool.map(std::negate<>{}, numbers(3))) == std::vector{0, -1, -2});
}

TEST_CASE("map sends strings and other values of varying size") {
  rankpool::executor pool(cluster());
  const std::vector<std::string> texts{"", "ab", "c", "wide"};
  CHECK(collect(pool.map(repeat, texts, numbers(4))) == std::vector<std::string>{"", "ab", "cc", "widewidewide"});
  CHECK(collect(pool.map({.chunksize = 3}, repeat, texts, numbers(4))).back() == "widewidewide");
}

TEST_CASE("map yields move-only results and takes move-only arguments") {
  rankpool::executor pool(cluster());
  int sum = 0;
  for (auto&& item : pool.map(boxed, numbers(20))) sum += item->value;
  CHECK(sum == 190);

  std::vector<std::unique_ptr<box>> boxes;
  for (int n = 0; n < 20; ++n) boxes.push_back(boxed(n));
  CHECK(collect(pool.map(unboxed, std::move(boxes))) == numbers(20));
}

TEST_CASE("map of a task that returns nothing runs every task") {
  rankpool::executor pool(cluster());
  const scratch_directory scratch;
  std::vector<std::string> paths;
  for (int i = 0; i < 10; ++i) paths.push_back(scratch.file(std::to_string(i)));
  int count = 0;
  for (auto&& nothing : pool.map([](const std::string& path) { leave_mark(path); }, paths)) {
    static_cast<void>(nothing);
    ++count;
  }
  CHECK(count == 10);
  CHECK(scratch.files() == 10);
}

TEST_CASE("map starts its tasks before its results are read", "[map/eager][ranks]") {
  rankpool::executor pool(cluster());
  const scratch_directory scratch;
  std::vector<std::string> paths;
  for (int i = 0; i < 40; ++i) paths.push_back(scratch.file(std::to_string(i)));
  auto results = pool.map(leave_mark, paths);
  CHECK(eventually([&] { return scratch.files() == 40; }));
  CHECK(drain(results) == 40);
}

TEST_CASE("several maps of one executor may be read alternately") {
  rankpool::executor pool(cluster());
  auto squares = pool.map(square, numbers(30));
  auto sums = pool.map(add, numbers(30), numbers(30));
  auto square_item = squares.begin();
  auto sum_item = sums.begin();
  for (int n = 0; n < 30; ++n, ++square_item, ++sum_item) {
    CHECK(*square_item == n * n);
    CHECK(*sum_item == 2 * n);
  }
  CHECK(square_item == squares.end());
  CHECK(sum_item == sums.end());
}

TEST_CASE("a map_results may be moved while it is read") {
  rankpool::executor pool(cluster());
  auto results = pool.map(square, numbers(10));
  CHECK(*results.begin() == 0);
  auto moved = std::move(results);
  CHECK(drain(std::move(moved)) >= 9);
}

TEST_CASE("a map of a million integers gives them all, in order") {
  rankpool::executor pool(cluster());
  constexpr int count = scaled_down(1'000'000);
  int expected = 0;
  bool in_order = true;
  for (const int n : pool.map(identity, std::views::iota(0, count))) in_order = in_order && n == expected++;
  CHECK(in_order);
  CHECK(expected == count);
}

TEST_CASE("starmap takes one argument pack for each tuple", "[map/starmap]") {
  rankpool::executor pool(cluster());
  const std::vector<std::tuple<int, int, int>> packs{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  CHECK(collect(pool.starmap(three, packs)) == std::vector{123, 456, 789});
  const std::vector<std::pair<std::string, int>> pairs{{"x", 3}, {"yz", 1}};
  CHECK(collect(pool.starmap(repeat, pairs)) == std::vector<std::string>{"xxx", "yz"});
  CHECK(collect(pool.starmap(square, std::vector<std::tuple<int>>{{3}, {4}})) == std::vector{9, 16});
  CHECK(collect(pool.starmap(add, std::vector<std::tuple<int, int>>{})).empty());
}

TEST_CASE("starmap takes a std::map, and map takes a std::vector<bool>") {
  rankpool::executor pool(cluster());
  const std::map<std::string, int> table{{"ab", 2}, {"c", 3}};
  CHECK(collect(pool.starmap(repeat, table)) == std::vector<std::string>{"abab", "ccc"});
  CHECK(collect(pool.map([](bool bit) { return !bit; }, std::vector<bool>{true, false})) == std::vector<bool>{false, true});
}

TEST_CASE("starmap takes the options of map", "[map/starmap]") {
  rankpool::executor pool(cluster());
  std::vector<std::tuple<int, int>> packs;
  for (int n = 0; n < 50; ++n) packs.emplace_back(n, 1);
  std::vector<int> expected = numbers(51);
  expected.erase(expected.begin());
  for (const int chunksize : {1, 7, 50, 60}) {
    CHECK(collect(pool.starmap({.chunksize = chunksize}, add, packs)) == expected);
    CHECK(collect(pool.starmap({.chunksize = chunksize, .buffersize = 10}, add, packs)) == expected);
  }
}

TEST_CASE("a map may return large arrays, and failed items among them fail alone", "[map/large-results][fault]") {
  rankpool::executor pool(cluster());
  const auto array_of = [](int n) {
    if (n % 5 == 3) throw std::invalid_argument("three");
    return std::pair(std::vector<double>(static_cast<std::size_t>(20'000 + n), n), n);
  };
  for (const long long chunksize : {0, 1, 7}) {
    auto results = pool.map({.chunksize = chunksize}, array_of, numbers(30));
    auto item = results.begin();
    for (int n = 0; n < 30; ++n, ++item) {
      if (n % 5 == 3) {
        CHECK_THROWS_AS(*item, std::invalid_argument);
        continue;
      }
      const auto [array, number] = *item;
      CHECK(number == n);
      CHECK(array == std::vector<double>(static_cast<std::size_t>(20'000 + n), n));
    }
    CHECK(item == results.end());
  }
  check_computes(pool);
}
