// Serialisation: standard containers, smart pointers, big integers and types of the program arrive unchanged.
#include "support/box.hpp"
#include "support/tasks.hpp"

#include <gmpxx.h>

#include <array>
#include <chrono>
#include <cmath>
#include <complex>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

using namespace support;

namespace {

/// Has no default constructor, and a member that cannot be assigned.
struct fixed {
  explicit fixed(int n) : value(n) {}
  const int value;

  template <class Archive>
  void serialize(Archive&, unsigned) {}
};

template <class Archive>
void save_construct_data(Archive& archive, const fixed* f, unsigned) {
  archive << f->value;
}

template <class Archive>
void load_construct_data(Archive& archive, fixed* f, unsigned) {
  int value = 0;
  archive >> value;
  ::new (f) fixed(value);
}

template <class T>
T echo(T value) {
  return value;
}

/// Sends `value` to a worker and back.
template <class T>
T round_trip(T value) {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  return pool.submit(echo<T>, std::move(value)).result();
}

template <class T>
bool survives(const T& value) {
  return round_trip(value) == value;
}

enum class colour : std::uint8_t { red, green = 200 };

/// Has separate save and load functions, and counts how often each has run.
struct stamped {
  std::string text;
  mutable int saved = 0;
  int loaded = 0;

  template <class Archive>
  void save(Archive& archive, unsigned) const {
    ++saved;
    archive << text << saved << loaded;
  }
  template <class Archive>
  void load(Archive& archive, unsigned) {
    archive >> text >> saved >> loaded;
    ++loaded;
  }
  BOOST_SERIALIZATION_SPLIT_MEMBER()
};

/// Serialised by a free function.
struct point {
  double x = 0;
  double y = 0;
  bool operator==(const point&) const = default;
};

template <class Archive>
void serialize(Archive& archive, point& p, unsigned) {
  archive& p.x& p.y;
}

struct tree {
  int value = 0;
  std::vector<tree> branches;
  bool operator==(const tree&) const = default;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& value& branches;
  }
};

struct node {
  int value = 0;
  std::shared_ptr<node> next;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& value& next;
  }
};

/// Move-only, with its own serialisation.
class ticket {
 public:
  ticket() = default;
  explicit ticket(int number) : number_(number) {}
  ticket(ticket&&) = default;
  ticket& operator=(ticket&&) = default;
  int number() const { return number_; }

 private:
  friend class boost::serialization::access;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& number_;
  }
  int number_ = 0;
};

ticket next_ticket(ticket last) { return ticket(last.number() + 1); }

}  // namespace

TEST_CASE("numbers of every kind travel") {
  CHECK(survives(true));
  CHECK(survives('x'));
  CHECK(survives(std::numeric_limits<std::int64_t>::min()));
  CHECK(survives(std::numeric_limits<std::uint64_t>::max()));
  CHECK(survives(std::int8_t{-100}));
  CHECK(survives(1.0f / 3.0f));
  CHECK(survives(std::numeric_limits<double>::denorm_min()));
  CHECK(survives(-std::numeric_limits<double>::infinity()));
  CHECK(std::isnan(round_trip(std::nan(""))));
  CHECK(survives(std::numeric_limits<long double>::epsilon()));
  CHECK(survives(colour::green));
  CHECK(survives(std::complex<double>(1.5, -2)));
}

TEST_CASE("128-bit integers travel") {
  const __int128 big = (static_cast<__int128>(1) << 126) + 12345;
  CHECK((round_trip(big) == big));
  CHECK((round_trip(-big) == -big));
  CHECK((round_trip(__int128{0}) == 0));
  const unsigned __int128 all = ~static_cast<unsigned __int128>(0);
  CHECK((round_trip(all) == all));
  CHECK((round_trip(std::vector<__int128>{1, -big, big}) == std::vector<__int128>{1, -big, big}));
}

TEST_CASE("big integers travel: zero, negative, huge") {
  mpz_class huge;
  mpz_ui_pow_ui(huge.get_mpz_t(), 3, 200'000);
  for (const mpz_class& n :
       {mpz_class(0), mpz_class(1), mpz_class(-7), mpz_class("18446744073709551616"), huge, mpz_class(-huge)}) {
    CHECK((round_trip(n) == n));
  }
  CHECK((round_trip(std::vector<mpz_class>{huge, 0, -3}) == std::vector<mpz_class>{huge, 0, -3}));
  CHECK((round_trip(std::optional<mpz_class>(-3)) == std::optional<mpz_class>(-3)));
}

TEST_CASE("strings travel: empty, long, and with any bytes") {
  CHECK(survives(std::string()));
  CHECK(survives(std::string(1'000'000, 'x')));
  CHECK(survives(std::string("a\0b\xff\n", 5)));
  CHECK(survives(std::wstring(L"wide")));
}

TEST_CASE("standard containers travel") {
  CHECK(survives(std::vector{1, 2, 3}));
  CHECK(survives(std::vector<bool>{true, false, true}));
  CHECK(survives(std::deque<std::string>{"a", "b"}));
  CHECK(survives(std::list<double>{0.5, -1}));
  CHECK(survives(std::array<int, 3>{7, 8, 9}));
  CHECK(survives(std::set<std::string>{"x", "y"}));
  CHECK(survives(std::multiset<int>{1, 1, 2}));
  CHECK(survives(std::map<std::string, int>{{"one", 1}, {"two", 2}}));
  CHECK(survives(std::multimap<int, int>{{1, 2}, {1, 3}}));
  CHECK(survives(std::unordered_map<int, std::string>{{5, "five"}}));
  CHECK(survives(std::unordered_set<std::string>{"p", "q"}));
}

TEST_CASE("empty containers travel") {
  CHECK(survives(std::vector<int>{}));
  CHECK(survives(std::vector<std::string>{}));
  CHECK(survives(std::vector<std::vector<int>>{{}, {}}));
  CHECK(survives(std::map<int, int>{}));
  CHECK(survives(std::list<std::string>{}));
  CHECK(survives(std::unordered_set<int>{}));
  CHECK(survives(std::array<int, 0>{}));
  CHECK(survives(std::tuple<>{}));
}

TEST_CASE("containers travel in containers") {
  using nested = std::map<std::string, std::vector<std::pair<int, std::optional<std::string>>>>;
  CHECK(survives(nested{{"a", {{1, "x"}, {2, std::nullopt}}}, {"b", {}}}));
  CHECK(survives(std::vector<std::map<int, std::set<std::string>>>{{{1, {"a", "b"}}}, {}}));
  CHECK(survives(std::vector<std::array<double, 2>>{{1, 2}, {3, 4}}));
  CHECK(survives(tree{1, {{2, {}}, {3, {{4, {}}}}}}));
}

TEST_CASE("pairs, tuples, optionals and variants travel") {
  CHECK(survives(std::pair<int, std::string>(1, "one")));
  CHECK(survives(std::tuple<int, std::string, double>(1, "two", 3.5)));
  CHECK(survives(std::tuple<int>(1)));
  CHECK(survives(std::optional<int>()));
  CHECK(survives(std::optional<int>(3)));
  CHECK(survives(std::optional<std::vector<int>>(std::vector<int>{})));
  using either = std::variant<int, std::string, std::vector<double>>;
  CHECK(survives(either(3)));
  CHECK(survives(either("text")));
  CHECK(survives(either(std::vector{1.5, 2.5})));
  CHECK(survives(std::variant<std::monostate, int>()));
  CHECK(survives(std::variant<int, int>(std::in_place_index<1>, 4)));
  CHECK(survives(std::vector<either>{1, "two", std::vector{3.0}}));
}

TEST_CASE("durations travel") {
  CHECK(survives(std::chrono::nanoseconds(-5)));
  CHECK(survives(std::chrono::hours(3)));
  CHECK(survives(std::chrono::duration<double>(0.1)));
  CHECK(survives(std::vector<std::chrono::milliseconds>{1ms, 2ms}));
}

TEST_CASE("smart pointers travel with their targets") {
  const auto unique = round_trip(std::make_unique<box>(box{7}));
  REQUIRE(unique != nullptr);
  CHECK(unique->value == 7);
  CHECK(round_trip(std::unique_ptr<box>()) == nullptr);
  const auto shared = round_trip(std::make_shared<std::vector<int>>(numbers(3)));
  REQUIRE(shared != nullptr);
  CHECK(*shared == numbers(3));
  CHECK(round_trip(std::shared_ptr<box>()) == nullptr);
}

TEST_CASE("pointers to one object still point to one object on arrival") {
  const auto object = std::make_shared<box>(box{5});
  const auto both = round_trip(std::pair(object, object));
  REQUIRE(both.first != nullptr);
  CHECK(both.first == both.second);
  CHECK(both.first != object);
  CHECK(both.first->value == 5);

  const auto last = std::make_shared<node>(node{3, nullptr});
  const auto list = round_trip(std::vector{std::make_shared<node>(node{1, last}), std::make_shared<node>(node{2, last})});
  REQUIRE(list.size() == 2);
  CHECK(list[0]->next == list[1]->next);
  CHECK(list[1]->next->value == 3);
}

TEST_CASE("the program's own serialisers run on both sides", "[travel/both-sides]") {
  const stamped back = round_trip(stamped{.text = "hello"});
  CHECK(back.text == "hello");
  CHECK(back.saved >= 2);
  CHECK(back.loaded == 2);
}

TEST_CASE("types with a free serialize function travel, in containers too") {
  CHECK(survives(point{1, 2}));
  CHECK(survives(std::vector<point>{{1, 2}, {3, 4}}));
  CHECK(survives(std::map<int, point>{{1, {5, 6}}}));
  CHECK(survives(std::optional<point>(point{1, 2})));
}

TEST_CASE("move-only types of the program travel") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(next_ticket, ticket(7)).result().number() == 8);
  std::vector<ticket> tickets;
  for (int n = 0; n < 5; ++n) tickets.emplace_back(n);
  int expected = 1;
  for (auto&& ticket : pool.map(next_ticket, std::move(tickets))) CHECK(ticket.number() == expected++);
}

TEST_CASE("megabytes travel, of contiguous numbers and of separate objects") {
  std::vector<double> numbers(1'000'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 0.5 * static_cast<double>(i);
  CHECK(survives(numbers));
  CHECK(survives(std::vector<std::vector<double>>(3, numbers)));
  std::vector<std::string> words;
  for (int i = 0; i < 100'000; ++i) words.push_back(std::to_string(i));
  CHECK(survives(words));
  CHECK(survives(std::pair<std::vector<double>, std::vector<std::string>>(numbers, words)));
}

TEST_CASE("large and small arguments travel together") {
  rankpool::executor pool(cluster());
  const auto sum = [](const std::vector<double>& values, int times, const std::string& unit) {
    double total = 0;
    for (const double value : values) total += value * times;
    return std::to_string(static_cast<long>(total)) + unit;
  };
  std::vector<rankpool::future<std::string>> tasks;
  for (int i = 0; i < 8; ++i) tasks.push_back(pool.submit(sum, std::vector<double>(100'000, 1.0), i, "m"));
  for (int i = 0; i < 8; ++i) CHECK(tasks[static_cast<std::size_t>(i)].result() == std::to_string(i * 100'000) + "m");
}

TEST_CASE("a type without a default constructor travels with its construct data", "[travel/construct-data]") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit([](fixed f) { return f.value; }, fixed(7)).result() == 7);
  CHECK(pool.submit([](int n) { return fixed(n); }, 8).result().value == 8);
  const std::vector<fixed> several{fixed(1), fixed(2)};
  int sum = 0;
  for (const int n : pool.map([](const fixed& f) { return f.value; }, several)) sum += n;
  CHECK(sum == 3);
}

TEST_CASE("time points and paths travel") {
  rankpool::executor pool(cluster());
  const auto now = std::chrono::system_clock::now();
  CHECK(pool.submit([](std::chrono::system_clock::time_point t) { return t + 1s; }, now).result() == now + 1s);
  const std::filesystem::path path = "/attic/tränk/..";
  CHECK(pool.submit([](const std::filesystem::path& p) { return p / "x"; }, path).result() == path / "x");
}
