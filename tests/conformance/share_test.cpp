// executor::share: the value that tasks see, and when its memory is freed.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <rankpool/rankpool.hpp>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace support;

namespace {

constexpr std::size_t large = 1 << 20;  // elements: far more than a message contains

struct point {
  double x;
  double y;
};

double sum_of(const rankpool::shared<std::vector<double>>& numbers) {
  return std::accumulate(numbers->begin(), numbers->end(), 0.0);
}

double element(const rankpool::shared<std::vector<double>>& numbers, int i) { return (*numbers)[static_cast<std::size_t>(i)]; }

int lengths(const rankpool::shared<std::vector<int>>& v, const rankpool::shared<std::string>& s,
            const rankpool::shared<std::map<int, std::string>>& m) {
  return static_cast<int>(v->size() + s->size() + m->size());
}

std::string name_of(const rankpool::shared<std::map<int, std::string>>& names, int i) { return names->at(i); }

/// Returns the number of shared memory segments that this process has mapped.
int mappings(int) {
  std::ifstream in("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(in, line);) count += line.find("rankpool-shared") != std::string::npos ? 1 : 0;
  return count;
}

std::vector<double> counted(std::size_t n) {
  std::vector<double> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return numbers;
}

/// A value whose deserialisation in a task throws if `fails`.
struct unreadable_table {
  std::vector<int> rows;
  bool fails = false;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& rows& fails;
    if (Archive::is_loading::value && fails) throw std::runtime_error("no memory here");
  }
};

int row_of(const rankpool::shared<unreadable_table>& table, int row) { return table->rows[static_cast<std::size_t>(row)]; }
int row_of_reversed(int row, const rankpool::shared<unreadable_table>& table) { return row_of(table, row); }

int sum_of_mappings(rankpool::executor& pool) {
  int sum = mappings(0);
  for (const int n : pool.map({.chunksize = 1}, mappings, numbers(20 * workers()))) sum += n;
  return sum;
}

}  // namespace

template <>
struct boost::serialization::is_bitwise_serializable<point> : boost::mpl::true_ {};

TEST_CASE("tasks see a shared value as rank 0 does, large or small, and of any type", "[share/value]") {
  rankpool::executor pool(cluster());
  for (const std::size_t n : {std::size_t{0}, std::size_t{3}, large}) {
    const auto numbers = pool.share(counted(n));
    CHECK(numbers->size() == n);
    const double expected = static_cast<double>(n) * (static_cast<double>(n) - 1) / 2;
    for (int i = 0; i < 3 * workers(); ++i) CHECK(pool.submit(sum_of, numbers).result() == (n == 0 ? 0 : expected));
  }
  const auto names = pool.share(std::map<int, std::string>{{1, "one"}, {2, std::string(large, 'x')}});
  CHECK(names->at(1) == "one");
  CHECK(pool.submit(name_of, names, 1).result() == "one");
  CHECK(pool.submit(name_of, names, 2).result().size() == large);
  const auto where = pool.share(point{1, 2});
  CHECK(where->y == 2);
  CHECK(pool.submit([](const rankpool::shared<point>& p) { return p->x + p->y; }, where).result() == 3);
  const auto text = pool.share(std::string("text"));
  CHECK(*text == std::string_view("text"));
}

TEST_CASE("a shared value may be bound or be an item of a map, and a task may have several", "[share/anywhere]") {
  rankpool::executor pool(cluster());
  const auto numbers_shared = pool.share(counted(large));
  const auto at = rankpool::partial(element, numbers_shared);
  CHECK(collect(pool.map(rankpool::partial([](const rankpool::shared<std::vector<double>>& n,
                                              int i) { return static_cast<int>((*n)[static_cast<std::size_t>(i)]); },
                                           numbers_shared),
                         numbers(100))) == numbers(100));
  std::vector<rankpool::shared<std::vector<double>>> several{pool.share(counted(2)), pool.share(counted(3)), numbers_shared};
  CHECK(collect(pool.map([](const rankpool::shared<std::vector<double>>& n) { return static_cast<int>(n->size()); }, several)) ==
        std::vector<int>{2, 3, static_cast<int>(large)});
  const auto v = pool.share(std::vector{1, 2});
  CHECK(pool.submit(lengths, v, pool.share(std::string("abc")), pool.share(std::map<int, std::string>{{1, ""}})).result() == 6);
  CHECK(pool.transform_reduce(numbers(100), 0.0, std::plus<>{}, rankpool::partial(element, numbers_shared)) == 4950);
}

TEST_CASE("a shared value is freed on every rank when its last handle is destroyed", "[share/freed]") {
  rankpool::executor pool(cluster());
  REQUIRE(eventually([&] { return sum_of_mappings(pool) == 0; }));  // mappings of earlier tests
  {
    const auto numbers_shared = pool.share(counted(large));
    const auto copy = numbers_shared;
    CHECK(pool.submit(sum_of, copy).result() > 0);
    CHECK(sum_of_mappings(pool) > 0);
  }
  CHECK(eventually([&] { return sum_of_mappings(pool) == 0; }));
  check_computes(pool);
}

TEST_CASE("a task keeps its shared value after rank 0 has released it", "[share/kept]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<double>> sums;
  {
    gate gate;
    std::vector<rankpool::future<int>> held;
    for (int i = 0; i < workers(); ++i) held.push_back(pool.submit(pass, gate.path(), i));
    for (int i = 0; i < 10 * workers(); ++i) sums.push_back(pool.submit(element, pool.share(counted(large)), i));
    gate.open();
  }
  for (std::size_t i = 0; i < sums.size(); ++i) CHECK(sums[i].result() == static_cast<double>(i));
  check_computes(pool);
}

TEST_CASE("access to an empty shared value is an error", "[share/empty][fault]") {
  const rankpool::shared<std::vector<double>> nothing;
  CHECK_FALSE(nothing);
  CHECK_THROWS_WITH(nothing->size(), containing("empty"));
  rankpool::executor pool(cluster());
  CHECK_THROWS_AS(pool.submit(sum_of, nothing).result(), rankpool::serialization_error);
  check_computes(pool);
}

TEST_CASE("share throws on a closed executor, and in a task", "[share/closed]") {
  rankpool::executor pool(cluster());
  const auto kept = pool.share(counted(3));
  pool.shutdown();
  CHECK_THROWS_AS(pool.share(1), rankpool::pool_closed);
  CHECK(kept->size() == 3);
}

TEST_CASE("a shared value that a task cannot deserialise fails all items that use it, and no others",
          "[share/unreadable][fault]") {
  rankpool::executor pool(cluster());
  const auto good = pool.share(unreadable_table{{7, 8, 9}, false});
  const auto bad = pool.share(unreadable_table{{7, 8, 9}, true});
  const std::vector tables{good, bad, bad, good, bad, good};
  const std::vector rows{0, 1, 2, 2, 1, 1};
  for (const int chunksize : {1, 3, 6}) {
    CAPTURE(chunksize);
    for (const auto& lines : {readings(pool.map({.chunksize = chunksize}, row_of, tables, rows)),
                              readings(pool.map({.chunksize = chunksize}, row_of_reversed, rows, tables))}) {
      REQUIRE(lines.size() == 6);
      for (const std::size_t i : {1U, 2U, 4U})
        CHECK_THAT(lines[i], containing("error: an argument could not be read") && containing("no memory here"));
      CHECK(lines[0] == "7");
      CHECK(lines[3] == "9");
      CHECK(lines[5] == "8");
    }
  }
  CHECK_THROWS_WITH(pool.submit(rankpool::partial(row_of, bad), 1).result(), containing("no memory here"));
  const auto bound = readings(pool.map({.chunksize = 3}, rankpool::partial(row_of, bad), rows));
  REQUIRE(bound.size() == 6);
  for (const auto& line : bound) CHECK_THAT(line, containing("no memory here"));
  check_computes(pool);
}
