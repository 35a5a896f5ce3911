// Items and results that cannot be decoded, in chunks of types that are sent without a length for each value. The values after
// a damaged one are correct or fail. They are never read from a wrong offset.
#include "support/brittle.hpp"
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <rankpool/journal.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace support;

namespace {

constexpr std::size_t attached = 20'000;  // elements of a vector that is sent in an out-of-band buffer

int sum_of_two(const brittle& b, int n) { return b.value + n; }
int sum_of_two_reversed(int n, const brittle& b) { return b.value + n; }
int value_of_endless(int n, const endless_brittle& b) { return b.value + n; }

using nested = std::tuple<std::string, std::vector<std::pair<int, std::optional<brittle>>>, std::vector<std::string>>;

std::size_t size_of_nested(const nested& value, int n) {
  return std::get<0>(value).size() + std::get<1>(value).size() + std::get<2>(value).size() + static_cast<std::size_t>(n);
}

using with_attachment = std::tuple<std::vector<double>, brittle, std::string, std::vector<double>>;

with_attachment make(int n, bool fails) {
  return {std::vector<double>(attached, n),
          {n, fails ? breaks::on_rank_0 : breaks::never},
          std::to_string(n),
          std::vector<double>(attached, -n)};
}

endless_brittle make_endless(int n, bool fails) { return {n, fails ? breaks::on_rank_0 : breaks::never}; }

bool is_made_of(const with_attachment& value, int n) { return value == make(n, false); }

/// Returns n brittle values 0, 1, ... Those whose index is in `failing` throw when a task decodes them.
std::vector<brittle> brittles(int n, const std::vector<int>& failing) {
  std::vector<brittle> all;
  for (int i = 0; i < n; ++i) all.push_back({i, std::ranges::count(failing, i) > 0 ? breaks::in_task : breaks::never});
  return all;
}

std::vector<bool> flags(int n, const std::vector<int>& set) {
  std::vector<bool> all(static_cast<std::size_t>(n));
  for (const int i : set) all[static_cast<std::size_t>(i)] = true;
  return all;
}

const std::string broken_argument = "error: an argument could not be read: std::runtime_error: broke";
const std::string broken_result = "error: the result could not be read: std::runtime_error: broke";

/// Returns the expected lines "0", "2", "4" ..., with an error for each failing item.
std::vector<std::string> twice(int n, const std::vector<int>& failing) {
  std::vector<std::string> all;
  for (int i = 0; i < n; ++i) all.push_back(std::ranges::count(failing, i) > 0 ? broken_argument : std::to_string(2 * i));
  return all;
}

/// Returns for each result the number that all its parts have, as text, "wrong" if they differ, or its error.
std::vector<std::string> made_values(auto results) {
  std::vector<std::string> all;
  for (auto item = results.begin(); item != results.end(); ++item) {
    try {
      const with_attachment value = *item;
      const int n = std::get<1>(value).value;
      all.push_back(is_made_of(value, n) ? std::to_string(n) : "wrong");
    } catch (const rankpool::serialization_error& e) {
      all.push_back(std::string("error: ") + e.what());
    }
  }
  return all;
}

}  // namespace

TEST_CASE("an item that cannot be decoded fails alone, at any position among the arguments", "[travel/chunk][fault]") {
  rankpool::executor pool(cluster());
  for (const auto& failing : {std::vector{1}, std::vector{0, 6}, std::vector{2, 3, 4}, std::vector{0, 1, 2, 3, 4, 5, 6}}) {
    for (const int chunksize : {0, 3, 7}) {
      CAPTURE(failing, chunksize);
      CHECK(readings(pool.map({.chunksize = chunksize}, sum_of_two, brittles(7, failing), numbers(7))) == twice(7, failing));
      CHECK(readings(pool.map({.chunksize = chunksize}, sum_of_two_reversed, numbers(7), brittles(7, failing))) ==
            twice(7, failing));
    }
  }
  std::vector<std::tuple<brittle, int>> pairs;
  for (const brittle& b : brittles(5, {2})) pairs.emplace_back(b, b.value);
  CHECK(readings(pool.starmap({.chunksize = 5}, sum_of_two, pairs)) == twice(5, {2}));
  check_computes(pool);
}

TEST_CASE("an item whose nested containers cannot be decoded fails alone", "[travel/chunk][fault]") {
  rankpool::executor pool(cluster());
  std::vector<nested> items;
  for (int i = 0; i < 6; ++i) {
    items.push_back(
        {"text", {{1, std::nullopt}, {2, brittle{i, i == 2 ? breaks::in_task : breaks::never}}, {3, brittle{}}}, {"a", "bc"}});
  }
  CHECK(readings(pool.map({.chunksize = 6}, size_of_nested, items, numbers(6))) ==
        std::vector<std::string>{"9", "10", broken_argument, "12", "13", "14"});
  check_computes(pool);
}

TEST_CASE("items after a damaged item of unknown length fail, with the reason", "[travel/chunk][fault]") {
  rankpool::executor pool(cluster());
  std::vector<endless_brittle> items;
  for (int i = 0; i < 8; ++i) items.push_back({i, i == 1 ? breaks::in_task : breaks::never});
  const auto lines = readings(pool.map({.chunksize = 4}, value_of_endless, numbers(8), items));
  REQUIRE(lines.size() == 8);
  CHECK(lines[0] == "0");
  CHECK(lines[1] == broken_argument);
  for (const std::size_t i : {2U, 3U})
    CHECK_THAT(lines[i], containing("error: an argument could not be read") && containing("the end of that value is unknown"));
  for (const std::size_t i : {4U, 5U, 6U, 7U}) CHECK(lines[i] == std::to_string(2 * i));  // the next chunk
  check_computes(pool);
}

TEST_CASE("a result that cannot be decoded fails alone, with its out-of-band buffers", "[travel/chunk][fault]") {
  rankpool::executor pool(cluster());
  for (const int chunksize : {2, 6}) {
    CAPTURE(chunksize);
    CHECK(made_values(pool.map({.chunksize = chunksize}, make, numbers(6), flags(6, {1, 2}))) ==
          std::vector<std::string>{"0", broken_result, broken_result, "3", "4", "5"});
  }
  auto unordered = made_values(pool.map({.chunksize = 3, .ordered = false}, make, numbers(6), flags(6, {1, 5})));
  std::ranges::sort(unordered);
  CHECK(unordered == std::vector<std::string>{"0", "2", "3", "4", broken_result, broken_result});
  check_computes(pool);
}

TEST_CASE("results after a damaged result of unknown length fail, with the reason", "[travel/chunk][fault]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.chunksize = 4}, make_endless, numbers(8), flags(8, {1}));
  std::vector<std::string> lines;
  for (auto item = results.begin(); item != results.end(); ++item) {
    try {
      lines.push_back(std::to_string((*item).value));
    } catch (const rankpool::serialization_error& e) {
      lines.push_back(std::string("error: ") + e.what());
    }
  }
  REQUIRE(lines.size() == 8);
  CHECK(lines[0] == "0");
  CHECK(lines[1] == broken_result);
  for (const std::size_t i : {2U, 3U})
    CHECK_THAT(lines[i], containing("error: the result could not be read") && containing("the end of that value is unknown"));
  for (const std::size_t i : {4U, 5U, 6U, 7U}) CHECK(lines[i] == std::to_string(i));
  check_computes(pool);
}

TEST_CASE("a future whose result cannot be decoded fails each time, and is never empty", "[travel/again][fault]") {
  rankpool::executor pool(cluster());
  // The out-of-band buffer was moved out before the decoding failed, so a second attempt to decode the result would succeed.
  const auto asked = pool.submit(make, 3, false);
  next_breaks_on_rank_0 = true;
  for (int i = 0; i < 3; ++i) CHECK_THROWS_WITH(asked.result(), containing("broke"));
  const auto error = asked.exception();
  CHECK(error != nullptr);
  CHECK(asked.exception() == error);
  auto copy = asked;
  CHECK_THROWS_WITH(std::move(copy).result(), containing("broke"));

  const auto asked_for_error = pool.submit(make, 3, false);
  next_breaks_on_rank_0 = true;
  CHECK(asked_for_error.exception() != nullptr);
  CHECK_THROWS_WITH(asked_for_error.result(), containing("broke"));

  auto moved = pool.submit(make, 3, false);
  auto other = moved;
  next_breaks_on_rank_0 = true;
  CHECK_THROWS_WITH(std::move(moved).result(), containing("broke"));
  CHECK_THROWS_WITH(std::move(other).result(), containing("broke"));

  std::vector tasks{pool.submit(make, 1, false), pool.submit(make, 2, true), pool.submit(make, 3, false)};
  int right = 0;
  for (const auto& task : rankpool::as_completed(tasks)) {
    for (int i = 0; i < 2; ++i) {
      try {
        right += is_made_of(task.result(), std::get<1>(task.result()).value) ? 1 : 0;
      } catch (const rankpool::serialization_error&) {
      }
    }
  }
  CHECK(right == 4);
  check_computes(pool);
}

TEST_CASE("a reduction with an item or a partial result that cannot be decoded fails", "[travel/chunk][fault]") {
  rankpool::executor pool(cluster());
  const auto value = [](const brittle& b) { return b.value; };
  CHECK_THROWS_WITH(pool.transform_reduce({.chunksize = 5}, brittles(5, {1}), 0, std::plus<>{}, value), containing("broke"));
  const auto plus = [](const endless_brittle& a, const endless_brittle& b) { return endless_brittle{a.value + b.value, b.where}; };
  const auto break_on_rank_0 = [](int n) { return endless_brittle{n, breaks::on_rank_0}; };
  CHECK_THROWS_WITH(pool.transform_reduce({.chunksize = 5}, numbers(5), endless_brittle{}, plus, break_on_rank_0),
                    containing("broke"));
  check_computes(pool);
}

TEST_CASE("results from a journal that cannot be decoded fail alone", "[travel/chunk][travel/again][fault]") {
  const scratch_directory here;
  const std::string file = here.file("first.journal");
  const std::string copy = here.file("second.journal");
  const std::vector<std::string> expected{"0", broken_result, "2", "3"};
  const auto run = [&](const std::string& journal) {
    rankpool::executor pool(cluster(), {.journal = journal});
    CHECK(made_values(pool.map({.chunksize = 4}, make, numbers(4), flags(4, {1}))) == expected);
    const auto task = pool.submit(make, 7, true);
    for (int i = 0; i < 2; ++i) CHECK_THROWS_WITH(task.result(), containing("broke"));
  };
  run(file);
  REQUIRE(eventually([&] {
    check_cluster_computes();
    return !std::filesystem::exists(file + "-wal");
  }));
  std::filesystem::copy_file(file, copy);
  run(copy);
  check_cluster_computes();
}
