// Plain structs are serialised without a `serialize`, wherever a value is sent. If a struct has a serialize, that one is used.
#include "support/tasks.hpp"

#include <gmpxx.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace support;

namespace {

struct position {
  double x = 0;
  double y = 0;
  bool operator==(const position&) const = default;
};

enum class colour : std::uint8_t { red, green = 200 };

/// Trivially copyable, with padding between the members and at the end.
struct sample {
  std::uint8_t kind = 0;
  double value = 0;
  position at;
  std::int16_t counts[3] = {};
  bool operator==(const sample&) const = default;
};

struct empty {
  bool operator==(const empty&) const = default;
};

/// Members of many kinds, none of which is trivially copyable.
struct report {
  std::string title;
  colour tint = colour::red;
  std::vector<sample> samples;
  std::string lines[2];
  std::array<std::string, 2> notes;
  std::optional<position> best;
  std::variant<int, position, std::string> last;
  std::map<std::string, position> places;
  mpz_class count;
  __int128 mask = 0;
  empty nothing;
  bool operator==(const report&) const = default;
};

report example() {
  return {.title = "t",
          .tint = colour::green,
          .samples = {{1, 2.5, {3, 4}, {5, 6, 7}}, {}},
          .lines = {"a", "b"},
          .notes = {"c", "d"},
          .best = position{1, 2},
          .last = position{3, 4},
          .places = {{"here", {5, 6}}},
          .count = 7,
          .mask = static_cast<__int128>(1) << 100,
          .nothing = {}};
}

struct tree {
  int value = 0;
  std::vector<tree> branches;
  std::unique_ptr<tree> other;
};

int sum_of(const tree& t) {
  int sum = t.value + (t.other ? sum_of(*t.other) : 0);
  for (const tree& branch : t.branches) sum += sum_of(branch);
  return sum;
}

/// Two pointers to one object. Boost preserves that they are equal.
struct linked {
  std::shared_ptr<position> first;
  std::shared_ptr<position> second;
  std::unique_ptr<int> number;
  int (*function)(int) = nullptr;
  __int128 big = 0;
};

struct constant {
  const int number;
  std::string text;
};

struct scaling {
  double factor = 1;
  double operator()(double x) const { return factor * x; }
};

/// Each of these types has its own serialisation. The number that arrives shows that it was used.
struct own_member {
  int value = 0;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& value;
    ++value;
  }
};
struct own_private_member {
  int value = 0;

 private:
  friend class boost::serialization::access;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& value;
    ++value;
  }
};
struct own_free_function {
  int value = 0;
};
template <class Archive>
void serialize(Archive& archive, own_free_function& own, const unsigned) {
  archive& own.value;
  ++own.value;
}
/// A function named serialize that has nothing to do with Boost.
struct other_serialize {
  int value = 0;
  std::string serialize() const { return std::to_string(value); }
};

template <class T>
T echo(T value) {
  return value;
}

template <class T>
T round_trip(T value) {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  return pool.submit(echo<T>, std::move(value)).result();
}

template <class T>
T advanced_by(T value, int n) {
  value.x += n;
  return value;
}

}  // namespace

TEST_CASE("plain structs travel member by member, nested and in containers", "[travel/plain-struct]") {
  CHECK(round_trip(position{1, 2}) == position{1, 2});
  CHECK(round_trip(sample{1, 2.5, {3, 4}, {5, 6, 7}}) == sample{1, 2.5, {3, 4}, {5, 6, 7}});
  CHECK(round_trip(empty{}) == empty{});
  CHECK((round_trip(example()) == example()));
  CHECK((round_trip(std::vector<report>{example(), {}}) == std::vector<report>{example(), {}}));
  CHECK((round_trip(std::map<int, report>{{1, example()}}) == std::map<int, report>{{1, example()}}));
  CHECK((round_trip(std::optional<report>(example())) == example()));
  CHECK(round_trip(constant{3, "three"}).text == "three");
  CHECK(round_trip(std::vector<constant>(2, {3, "three"})).back().number == 3);
}

TEST_CASE("a plain struct that contains itself travels", "[travel/plain-struct]") {
  tree root{1, {}, std::make_unique<tree>(tree{2, {}, nullptr})};
  root.branches.push_back({3, {}, nullptr});
  root.branches.push_back({4, {}, std::make_unique<tree>(tree{5, {}, nullptr})});
  rankpool::executor pool(cluster());
  CHECK(pool.submit(sum_of, std::move(root)).result() == 15);
}

TEST_CASE("two pointers of a plain struct to one object are still two pointers to one object", "[travel/plain-struct]") {
  const auto object = std::make_shared<position>(position{1, 2});
  const auto back = round_trip(linked{object, object, std::make_unique<int>(3), square, static_cast<__int128>(1) << 99});
  REQUIRE(back.first != nullptr);
  CHECK(back.first == back.second);
  CHECK(back.first != object);
  CHECK(*back.first == *object);
  CHECK(*back.number == 3);
  CHECK(back.function(4) == 16);
  CHECK((back.big == static_cast<__int128>(1) << 99));
  const auto several = round_trip(std::vector<std::shared_ptr<position>>{object, object});
  CHECK(several[0] == several[1]);
}

TEST_CASE("vectors of plain structs travel as one block, their padding zeroed", "[travel/plain-struct]") {
  std::vector<sample> many(100'000);
  std::memset(static_cast<void*>(many.data()), 0xAA, many.size() * sizeof(sample));  // simulates memory that was used before
  for (std::size_t i = 0; i < many.size(); ++i) {
    auto& [kind, value, at, counts] = many[i];
    kind = static_cast<std::uint8_t>(i);
    value = static_cast<double>(i);
    at = {0.5, 1};
    std::ranges::fill(counts, static_cast<std::int16_t>(i));
  }
  CHECK((round_trip(many) == many));
  rankpool::executor pool(cluster());
  const auto bytes_after_kind = [](const std::vector<sample>& samples) {
    std::uint8_t bytes[sizeof(sample)];
    int sum = 0;
    for (const sample& s : samples) {
      std::memcpy(bytes, static_cast<const void*>(&s), sizeof s);
      for (std::size_t i = sizeof s.kind; i < offsetof(sample, value); ++i) sum += bytes[i];
    }
    return sum;
  };
  CHECK(pool.submit(bytes_after_kind, many).result() == 0);
  CHECK(pool.submit(bytes_after_kind, std::move(many)).result() == 0);
}

TEST_CASE("map, transform_reduce, partial and share take plain structs", "[travel/plain-struct]") {
  rankpool::executor pool(cluster());
  const std::vector<position> positions{{1, 2}, {3, 4}, {5, 6}};
  double sum = 0;
  for (auto& p : pool.map(rankpool::partial(
                              [](const sample&offset, position p) {
                                return position{p.x + offset.value, p.y};
                              },
                              sample{0, 10, {}, {}}),
                          positions)) {
    sum += p.x;
  }
  CHECK(sum == 39);
  for (auto& p : pool.map(advanced_by<position>, positions, std::vector<int>(3, 1))) sum -= p.x;
  CHECK(sum == 27);
  for (auto& value : pool.map(scaling{2}, std::vector{1.0, 2.0})) sum += value;
  CHECK(sum == 33);
  const auto total = pool.transform_reduce(
      positions, position{},
      [](position a, position b) {
        return position{a.x + b.x, a.y + b.y};
      },
      [](const position& p) {
        return position{2 * p.x, p.y};
      });
  CHECK(total == position{18, 12});
  const auto shared = pool.share(std::vector<sample>(1000, {0, 2, {}, {}}));
  CHECK(pool.submit([](const rankpool::shared<std::vector<sample>>& s) { return (*s)[999].value * static_cast<double>(s->size()); },
                    shared)
            .result() == 2000);
  const auto shared_report = pool.share(example());
  CHECK(pool.submit([](const rankpool::shared<report>& r) { return r->places.at("here").y; }, shared_report).result() == 6);
}

TEST_CASE("function pointers travel in containers and plain structs", "[travel/plain-struct]") {
  const std::map<std::string, int (*)(int)> functions{{"square", square}, {"none", nullptr}};
  const auto back = round_trip(functions);
  CHECK(back.at("square")(5) == 25);
  CHECK(back.at("none") == nullptr);
  CHECK(round_trip(std::vector<int (*)(int)>{square}).front()(3) == 9);
}

TEST_CASE("a plain struct's own serialize is used, public, private or free", "[travel/plain-struct]") {
  CHECK(round_trip(own_member{1}).value > 1);
  CHECK(round_trip(own_private_member{1}).value > 1);
  CHECK(round_trip(own_free_function{1}).value > 1);
  CHECK(round_trip(std::pair<own_free_function, int>{{1}, 2}).first.value > 1);
  CHECK(round_trip(other_serialize{1}).value == 1);
}

TEST_CASE("results can be taken by reference, and moved from", "[travel/plain-struct]") {
  rankpool::executor pool(cluster());
  const auto make = [](int n) { return std::make_unique<int>(n); };
  int sum = 0;
  for (auto& p : pool.map(make, std::vector{1, 2, 3})) {
    const std::unique_ptr<int> own = std::move(p);
    sum += *own;
  }
  CHECK(sum == 6);
}
