// Tests sorting files by workers against std::sort, for all kinds of numbers, both algorithms and any division into buckets.
#include "sort/bucket_tree.hpp"
#include "sort/file_sort.hpp"
#include "sort/key_buffer.hpp"
#include "sort/one_pass.hpp"
#include "sort/plan.hpp"
#include "sort/sampling.hpp"
#include "sort/sort_key.hpp"
#include "sort/sort_keys.hpp"
#include "sort/two_passes.hpp"
#include "sort/verification.hpp"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/scratch_directory.hpp"

namespace {

namespace fs = std::filesystem;

template <class Number>
void write_file(const std::string& path, const std::vector<Number>& numbers) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(numbers.data()), static_cast<std::streamsize>(numbers.size() * sizeof(Number)));
}

template <class Number>
std::vector<Number> read_file(const std::string& path) {
  std::vector<Number> numbers(fs::file_size(path) / sizeof(Number));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(numbers.data()), static_cast<std::streamsize>(numbers.size() * sizeof(Number)));
  return numbers;
}

template <class Number>
constexpr jobs::element_type element_type_of = std::is_integral_v<Number>
                                           ? (sizeof(Number) == 4 ? jobs::element_type::int32 : jobs::element_type::int64)
                                           : (sizeof(Number) == 4 ? jobs::element_type::float32 : jobs::element_type::float64);

/// An input file and an output file of the same size in a temporary folder.
template <class Number>
struct files {
  support::scratch_directory folder;
  rankpool::result_file sorted;
  jobs::number_file input;
  jobs::number_target output;

  explicit files(const std::vector<Number>& numbers)
      : sorted({}, folder.file("out"), numbers.size() * sizeof(Number)),
        input{folder.file("in"), element_type_of<Number>, 0, numbers.size()},
        output{{sorted.path(), element_type_of<Number>, 0, numbers.size()}, sorted.writer()} {
    write_file(input.path, numbers);
  }
  jobs::sort_work work(rankpool::executor& pool, std::size_t buckets) const {
    auto samples = jobs::draw_samples(pool, input, std::min<std::size_t>(input.count, 64 * buckets), 2);
    return {input, output, output, jobs::choose_splitters(samples, buckets)};
  }
};

template <class Number>
bool is_before(Number a, Number b) {
  if constexpr (std::floating_point<Number>) {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
  }
  return a < b;
}

template <class Number>
bool is_same(Number a, Number b) {
  if constexpr (std::floating_point<Number>) {
    if (std::isnan(a) && std::isnan(b)) return true;
  }
  return a == b;
}

template <class Number>
bool sorts_both_ways(std::vector<Number> numbers, std::size_t buckets, std::uint64_t part) {
  rankpool::executor pool(support::cluster());
  const files<Number> one(numbers), two(numbers);
  jobs::sort_in_one_pass(pool, one.work(pool, buckets));
  jobs::sort_in_two_passes(pool, two.work(pool, buckets), part);
  std::ranges::sort(numbers, is_before<Number>);
  const auto first = read_file<Number>(one.output.path), second = read_file<Number>(two.output.path);
  return std::ranges::equal(first, numbers, is_same<Number>) && std::ranges::equal(second, numbers, is_same<Number>);
}

template <class Number, class Draw>
std::vector<Number> drawn(std::size_t size, Draw draw) {
  std::mt19937_64 random(size);
  std::vector<Number> numbers(size);
  for (auto& n : numbers) n = static_cast<Number>(draw(random));
  return numbers;
}

template <class Number>
Number from_random_bits(std::mt19937_64& random) {
  return std::bit_cast<Number>(static_cast<jobs::key_of<Number>>(random()));
}

}  // namespace

TEMPLATE_TEST_CASE("keys have the order of their numbers and are converted back", "", std::int32_t, std::int64_t, float, double) {
  using number = TestType;
  using key = jobs::key_of<number>;
  std::vector<number> numbers = drawn<number>(2'000, from_random_bits<number>);
  using limits = std::numeric_limits<number>;
  for (const number n : {number{0}, number{1}, number{-1}, limits::max(), limits::lowest(), limits::min()}) numbers.push_back(n);
  if constexpr (std::floating_point<number>) {
    for (const number n : {limits::infinity(), limits::quiet_NaN(), limits::denorm_min(), number{0}})
      numbers.insert(numbers.end(), {n, -n});
  }
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    const number a = numbers[i], b = numbers[i + 1];
    const key of_a = jobs::to_key<number>(std::bit_cast<key>(a)), of_b = jobs::to_key<number>(std::bit_cast<key>(b));
    if (is_before(a, b)) CHECK(of_a < of_b);
    if (is_before(b, a)) CHECK(of_b < of_a);
    CHECK(jobs::from_key<number>(of_a) == std::bit_cast<key>(a));
  }
}

TEST_CASE("minus zero is sorted before zero, and negative NaNs last") {
  const auto key = [](double x) { return jobs::to_key<double>(std::bit_cast<std::uint64_t>(x)); };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(key(-0.0) + 1 == key(0.0));
  CHECK(key(-std::numeric_limits<double>::infinity()) == 0);
  CHECK(key(std::numeric_limits<double>::infinity()) < key(nan));
  CHECK(key(nan) < key(-nan));
}

TEST_CASE("the sort in memory agrees with std::sort at every small size and on patterns") {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 700; ++size) {
    for (const std::uint64_t range : {2U, 1000U, 0U}) {
      std::vector<std::uint64_t> keys(size);
      for (auto& k : keys) k = range == 0 ? random() : random() % range;
      if (size % 3 == 0) std::ranges::sort(keys, std::greater());
      std::vector<std::uint64_t> expected = keys;
      std::ranges::sort(expected);
      jobs::sort_keys(keys);
      REQUIRE(keys == expected);
      std::vector<std::uint32_t> narrow(expected.rbegin(), expected.rend());
      jobs::sort_keys(narrow);
      REQUIRE(std::ranges::is_sorted(narrow));
    }
  }
}

TEST_CASE("the bucket of a key is the number of splitters that are not greater") {
  std::mt19937_64 random(7);
  constexpr std::uint32_t largest = std::numeric_limits<std::uint32_t>::max();
  for (const std::size_t size : {0U, 1U, 2U, 3U, 7U, 8U, 100U}) {
    std::vector<jobs::splitter> splitters(size);
    for (auto& s : splitters) s = {random() % 3 == 0 ? largest : random() % 50, random() % 1000};
    std::ranges::sort(splitters);
    std::vector<std::uint32_t> keys(777);
    for (auto& k : keys) k = random() % 3 == 0 ? largest : static_cast<std::uint32_t>(random() % 50);
    std::vector<std::uint32_t> found(keys.size());
    jobs::for_each_side(std::span<const std::uint32_t>(keys), 100, splitters,
                        [&](std::span<const std::uint32_t> piece, std::uint64_t at) {
                          jobs::bucket_tree<std::uint32_t>(splitters, at).find(piece, &found[at - 100]);
                        });
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const jobs::splitter here{keys[i], 100 + i};
      REQUIRE(found[i] == std::ranges::count_if(splitters, [&](const jobs::splitter& s) { return s <= here; }));
    }
  }
}

TEMPLATE_TEST_CASE("random numbers are sorted, in many buckets and parts", "", std::int32_t, std::int64_t, float, double) {
  const auto numbers = drawn<TestType>(100'000, from_random_bits<TestType>);  // includes NaNs and infinities
  CHECK(sorts_both_ways(numbers, 1, 100'000));
  CHECK(sorts_both_ways(numbers, 13, 7'777));
  CHECK(sorts_both_ways(numbers, 300, 60'000));
}

TEST_CASE("numbers with many duplicates, sorted numbers and reversed numbers are sorted") {
  constexpr std::size_t size = 70'000;
  CHECK(sorts_both_ways(std::vector<std::int64_t>(size, 5), 10, 9'999));
  CHECK(sorts_both_ways(std::vector<std::int64_t>(size, std::numeric_limits<std::int64_t>::max()), 10, 9'999));
  CHECK(sorts_both_ways(std::vector<std::int64_t>(size, std::numeric_limits<std::int64_t>::min()), 10, 9'999));
  CHECK(sorts_both_ways(std::vector<double>(size, -std::numeric_limits<double>::quiet_NaN()), 10, 9'999));
  CHECK(sorts_both_ways(drawn<std::int32_t>(size, [](auto& random) { return random() % 2; }), 10, 9'999));
  CHECK(sorts_both_ways(drawn<double>(size, [](auto& random) { return random() % 2 == 0 ? 0.0 : -0.0; }), 10, 9'999));
  CHECK(sorts_both_ways(drawn<std::int32_t>(size, [n = 0](auto&) mutable { return n++; }), 10, 9'999));
  CHECK(sorts_both_ways(drawn<std::int32_t>(size, [n = 0](auto&) mutable { return n--; }), 10, 9'999));
}

TEST_CASE("fewer numbers than buckets are sorted") {
  CHECK(sorts_both_ways(std::vector<std::int64_t>{3}, 5, 2));
  CHECK(sorts_both_ways(std::vector<std::int64_t>{3, 1, 2}, 5, 2));
}

TEST_CASE("buckets have about the same size, even with many equal numbers") {
  rankpool::executor pool(support::cluster());
  constexpr std::size_t size = 200'000, buckets = 16;
  for (const std::uint64_t range : {1U, 3U, 1'000'000'000U}) {
    const files<std::int64_t> here(drawn<std::int64_t>(size, [=](auto& random) { return random() % range; }));
    auto samples = jobs::draw_samples(pool, here.input, 1024 * buckets, 2);
    const auto splitters = jobs::choose_splitters(samples, buckets);
    std::map<std::ptrdiff_t, std::size_t> sizes;
    std::uint64_t index = 0;
    for (const std::int64_t n : read_file<std::int64_t>(here.input.path)) {
      const jobs::splitter at{jobs::to_key<std::int64_t>(static_cast<std::uint64_t>(n)), index++};
      ++sizes[std::ranges::upper_bound(splitters, at) - splitters.begin()];
    }
    CHECK(sizes.size() == buckets);
    for (const auto& [bucket, in_it] : sizes) CHECK(in_it < size / buckets * 9 / 8);
  }
}

TEST_CASE("a key buffer keeps its keys when it grows") {
  jobs::key_buffer<std::uint64_t> buffer(2);
  buffer.data()[0] = 1;
  buffer.data()[1] = 2;
  buffer.make_room(10'000'000, 2);
  buffer.data()[9'999'999] = 3;
  CHECK(buffer.first(2)[0] == 1);
  CHECK(buffer.first(2)[1] == 2);
}

TEST_CASE("a plan fits the memory of workers and of rank 0") {
  constexpr std::uint64_t gib = std::uint64_t{1} << 30;
  CHECK(jobs::plan_sort(0, 8, 2, gib).buckets == 1);
  CHECK(jobs::plan_sort(1'000, 8, 2, gib).buckets == 1);
  CHECK(jobs::plan_sort(1'000'000, 8, 2, gib).buckets == 2);
  CHECK(jobs::plan_sort(100'000'000, 8, 2, gib).one_pass);
  CHECK(!jobs::plan_sort(100'000'000, 8, 100, gib).one_pass);
  const auto large = jobs::plan_sort(2'000'000'000, 8, 2, gib);
  CHECK(!large.one_pass);
  CHECK(large.buckets % 2 == 0);
  CHECK(2'000'000'000 * std::uint64_t{8} / large.buckets < gib);
  CHECK(large.part * 8 <= gib);
}

TEST_CASE("a refused plan names an amount of memory that suffices, for any number of workers") {
  for (const std::uint64_t count : {10'000'000'000, 123'456'789'012, 1'000'000'000'000, 50'000'000'000'000}) {
    for (const int workers : {1, 2, 7, 100, 1'000, 10'000}) {
      std::string refusal;
      try {
        (void)jobs::plan_sort(count, 8, workers, 1 << 16);
      } catch (const jobs::usage_error& error) {
        refusal = error.what();
      }
      CHECK_THAT(refusal, support::containing("--memory must be at least "));
      const std::uint64_t enough = std::stoull(refusal.substr(std::string("--memory must be at least ").size())) * 1'000'000;
      const jobs::sort_plan plan = jobs::plan_sort(count, 8, workers, enough);
      CHECK((plan.one_pass || plan.parts(count) * plan.buckets <= 10'000'000));
      CHECK(plan.part * 8 <= enough);
    }
  }
}

TEST_CASE("verification finds a wrong order, also across parts, and a changed number") {
  rankpool::executor pool(support::cluster());
  const std::vector<std::int64_t> numbers{1, 2, 3, 4, 5, 6, 7};
  const auto examined = [&](const std::vector<std::int64_t>& changed) {
    const files<std::int64_t> here(changed);
    return jobs::examine(pool, here.input, 3);
  };
  const jobs::file_examination right = examined(numbers);
  CHECK(right.in_order);
  CHECK(right.numbers.count == numbers.size());

  CHECK(!examined({1, 3, 2, 4, 5, 6, 7}).in_order);
  CHECK(!examined({1, 2, 4, 3, 5, 6, 7}).in_order);  // the error is at the boundary of two parts
  CHECK(examined({1, 2, 4, 3, 5, 6, 7}).numbers == right.numbers);
  CHECK(examined({1, 2, 3, 4, 5, 6}).numbers != right.numbers);
  CHECK(examined({1, 2, 3, 4, 5, 6, 8}).numbers != right.numbers);
  CHECK(examined({1, 1, 4, 4, 5, 6, 7}).numbers != right.numbers);  // other numbers with the same sum
  CHECK(examined({}).in_order);
}

TEST_CASE("an input that ends too early is named, and the pool remains usable") {
  rankpool::executor pool(support::cluster());
  const files<std::int64_t> here(std::vector<std::int64_t>(1'000, 1));
  jobs::sort_work work = here.work(pool, 4);
  work.input.count = work.output.count = 2'000;
  CHECK_THROWS_WITH(jobs::sort_in_one_pass(pool, work), support::containing(here.input.path + " ends too early"));
  CHECK_THROWS_WITH(jobs::sort_in_two_passes(pool, work, 500), support::containing(here.input.path + " ends too early"));
  jobs::sort_in_one_pass(pool, here.work(pool, 4));
}
