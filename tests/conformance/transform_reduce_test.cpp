// transform_reduce: the result of a sequential loop, in input order, for any associative reduction.
#include "support/sizes.hpp"
#include "support/sources.hpp"
#include "support/tasks.hpp"

#include <gmpxx.h>
#include <algorithm>
#include <functional>
#include <numeric>
#include <ranges>
#include <string>
#include <vector>

using namespace support;

namespace {

long wide_square(long n) { return n * n; }

__int128 cube(long n) { return static_cast<__int128>(n) * n * n; }

std::string as_text(int n) { return std::to_string(n) + ","; }

std::string join(std::string left, const std::string& right) { return std::move(left) + right; }

mpz_class multiply(const mpz_class& a, const mpz_class& b) { return a * b; }

mpz_class big(int n) { return mpz_class(n); }

int positive(int n) {
  if (n == 77) throw std::domain_error("77 is not liked here");
  return n;
}

std::vector<int> one(int n) { return {n}; }

std::vector<int> append(std::vector<int> left, const std::vector<int>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace

TEST_CASE("transform_reduce sums over the workers") {
  rankpool::executor pool(cluster());
  CHECK(pool.transform_reduce(std::views::iota(1L, 1001L), 0L, std::plus<>{}, wide_square) == 333'833'500L);
  CHECK(pool.transform_reduce(numbers(101), 0, add, square) == 338'350);
}

TEST_CASE("transform_reduce of an empty range is the initial value") {
  rankpool::executor pool(cluster());
  CHECK(pool.transform_reduce(std::vector<int>{}, 7, add, square) == 7);
  CHECK(pool.transform_reduce(std::views::iota(3, 3), 7, add, square) == 7);
}

TEST_CASE("transform_reduce uses the initial value once, on the left") {
  rankpool::executor pool(cluster());
  CHECK(pool.transform_reduce(numbers(3), std::string("start:"), join, as_text) == "start:0,1,2,");
  CHECK(pool.transform_reduce({.chunksize = 1}, numbers(100), 1000, add, identity) == 1000 + 4950);
}

TEST_CASE("transform_reduce keeps the order, so that any associative reduction gives the sequential answer") {
  rankpool::executor pool(cluster());
  std::string expected;
  for (int n = 0; n < 300; ++n) expected += as_text(n);
  CHECK(pool.transform_reduce(numbers(300), std::string(), join, as_text) == expected);
  CHECK(pool.transform_reduce(std::views::iota(0, 300), std::string(), join, as_text) == expected);
  for (const int chunksize : {1, 2, 7, 299, 300, 1000}) {
    CAPTURE(chunksize);
    CHECK(pool.transform_reduce({.chunksize = chunksize}, numbers(300), std::string(), join, as_text) == expected);
    CHECK(pool.transform_reduce({.chunksize = chunksize}, numbers(50), std::vector<int>{}, append, one) == numbers(50));
  }
}

TEST_CASE("transform_reduce works on strings, big integers and 128-bit integers") {
  rankpool::executor pool(cluster());
  const std::vector<std::string> words{"a", "bcd", "", "ef"};
  CHECK(pool.transform_reduce(words, std::size_t{0}, std::plus<>{}, [](const std::string& word) { return word.size(); }) == 6);

  mpz_class factorial;
  mpz_fac_ui(factorial.get_mpz_t(), 100);
  CHECK(pool.transform_reduce(std::views::iota(1, 101), mpz_class(1), multiply, big) == factorial);

  constexpr long n = scaled_down(2'000'000);
  const __int128 half = static_cast<__int128>(n) * (n + 1) / 2;
  CHECK((pool.transform_reduce(std::views::iota(1L, n + 1), __int128{0}, std::plus<>{}, cube) == half * half));
}

TEST_CASE("transform_reduce takes partial applications and function objects") {
  rankpool::executor pool(cluster());
  CHECK(pool.transform_reduce(numbers(10), 0, std::plus<int>{}, rankpool::partial(add, 5)) == 95);
  CHECK(pool.transform_reduce(
            numbers(10), 0, [](int a, int b) { return std::max(a, b); }, square) == 81);
}

TEST_CASE("transform_reduce reads an input range on the caller's thread only") {
  rankpool::executor pool(cluster());
  counted_source source(1000);
  CHECK(pool.transform_reduce(source, 0, add, identity) == 499'500);
  CHECK(source.taken() == 1000);
  CHECK(source.read_by_owner_alone());
}

TEST_CASE("transform_reduce throws what a task throws", "[fault]") {
  rankpool::executor pool(cluster());
  CHECK_THROWS_AS(pool.transform_reduce(numbers(100), 0, add, positive), std::domain_error);
  CHECK_THROWS_WITH(pool.transform_reduce({.chunksize = 10}, numbers(100), 0, add, positive), containing("77 is not liked here"));
  CHECK_THROWS_AS(pool.transform_reduce({.chunksize = -1}, numbers(3), 0, add, positive), std::invalid_argument);
  check_computes(pool);
}

TEST_CASE("transform_reduce over ten million integers sends bounds, not items") {
  rankpool::executor pool(cluster());
  constexpr long n = scaled_down(10'000'000);
  CHECK(pool.transform_reduce(std::views::iota(0L, n), 0L, std::plus<>{}, [](long k) { return k; }) == n * (n - 1) / 2);
}

TEST_CASE("transform_reduce may add up large arrays", ) {
  rankpool::executor pool(cluster());
  const auto array_of = [](int n) { return std::vector<double>(20'000, n); };
  const auto add = [](std::vector<double> a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  };
  CHECK(pool.transform_reduce(numbers(20), std::vector<double>(20'000), add, array_of) == std::vector<double>(20'000, 190));
}
