// Encoding and decoding of values, without a pool; decoding of damaged bytes.
#include <rankpool/detail/call/callable.hpp>
#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/detail/codec/skip.hpp>
#include <rankpool/partial.hpp>
#include <rankpool/shared.hpp>

#include "support/catch.hpp"

#include <gmpxx.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace {

using namespace rankpool::detail;

template <class T>
T there_and_back(const T& value) {
  byte_buffer buffer;
  byte_writer out(buffer);
  encode(out, value);
  byte_reader in(buffer);
  T back = decode<T>(in);
  in.expect_end();
  byte_reader skipped(buffer);
  skip<T>(skipped);
  skipped.expect_end();
  return back;
}

struct point {
  int x = 0;
  int y = 0;
  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar& x& y;
  }
  bool operator==(const point&) const = default;
};

struct holder {
  int number = 0;
  rankpool::shared<std::string> text;
};
class class_with_holder {
 public:
  holder held;
  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar& held;
  }
};

int twice(int n) { return 2 * n; }

struct inner {
  double value;
  char end;
};
struct outer {
  char begin;
  inner parts[2];
  [[no_unique_address]] inner last;
  char end;
  long double wide;
};
static_assert(bitwise<outer> && has_padding<outer>());

/// Returns an object in memory whose bytes were `before`.
outer outer_in(int before) {
  outer object;
  std::memset(static_cast<void*>(&object), before, sizeof object);
  object.begin = 'a';
  object.parts[0].value = object.parts[1].value = object.last.value = 0.5;
  object.parts[0].end = object.parts[1].end = object.last.end = 'b';
  object.end = 'c';
  object.wide = 1.5L;
  return object;
}

template <class T>
std::string encoded(const T& value) {
  byte_buffer buffer;
  byte_writer out(buffer);
  encode(out, value);
  return {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
}

}  // namespace

TEST_CASE("equal structs have equal bytes, whatever was in their padding") {
  const outer one = outer_in(0x55);
  const outer other = outer_in(0xAA);
  CHECK(encoded(one) == encoded(other));
  CHECK(encoded(std::vector<outer>{one, other}) == encoded(std::vector<outer>{other, one}));
  CHECK(encoded(std::array<outer, 1>{one}) == encoded(std::array<outer, 1>{other}));
  CHECK(encoded(one.wide) == encoded(other.wide));
  const outer back = there_and_back(one);
  CHECK(back.begin == 'a');
  CHECK(back.parts[1].value == 0.5);
  CHECK(back.parts[1].end == 'b');
  CHECK(back.last.end == 'b');
  CHECK(back.end == 'c');
  CHECK(back.wide == 1.5L);
}

TEST_CASE("numbers, text and their containers come back equal") {
  CHECK(there_and_back(42) == 42);
  CHECK(there_and_back(true) == true);
  CHECK(std::isnan(there_and_back(std::numeric_limits<double>::quiet_NaN())));
  CHECK(there_and_back(std::string("a\0b", 3)) == std::string("a\0b", 3));
  CHECK(there_and_back(std::vector<int>{}).empty());
  CHECK(there_and_back(std::vector<bool>{true, false, true}) == std::vector<bool>{true, false, true});
  CHECK(there_and_back(std::vector<std::string>{"", "x"}) == std::vector<std::string>{"", "x"});
  CHECK(there_and_back(std::tuple(1, std::string("two"), 3.0)) == std::tuple(1, std::string("two"), 3.0));
  CHECK(there_and_back(std::array<std::string, 2>{"a", "b"}) == std::array<std::string, 2>{"a", "b"});
  CHECK(there_and_back(std::optional<int>{}) == std::nullopt);
  CHECK(there_and_back(std::optional<std::string>("x")) == "x");
  CHECK(there_and_back(std::variant<int, std::string>("x")) == std::variant<int, std::string>("x"));
  CHECK(there_and_back(std::chrono::milliseconds(5)) == std::chrono::milliseconds(5));
  CHECK(*there_and_back(std::make_unique<int>(4)) == 4);
  const auto big = static_cast<__int128>(1) << 100;
  CHECK((there_and_back(big) == big));
}

TEST_CASE("large numbers of either sign come back equal") {
  for (const char* text : {"0", "1", "-1", "18446744073709551616", "-123456789012345678901234567890123456789"}) {
    CHECK(there_and_back(mpz_class(text)) == mpz_class(text));
  }
  mpz_class huge;
  mpz_ui_pow_ui(huge.get_mpz_t(), 3, 100'000);
  CHECK(there_and_back(huge) == huge);
}

TEST_CASE("types with a serialize member, and containers of them, are encoded by Boost") {
  CHECK(there_and_back(point{1, 2}) == point{1, 2});
  CHECK(there_and_back(std::vector<point>{{1, 2}, {3, 4}}) == std::vector<point>{{1, 2}, {3, 4}});
  CHECK(there_and_back(std::map<std::string, point>{{"a", {1, 2}}}) == std::map<std::string, point>{{"a", {1, 2}}});
  CHECK(there_and_back(std::optional<point>({5, 6})) == std::optional<point>({5, 6}));
  CHECK(there_and_back(std::variant<std::monostate, point>(point{7, 8})) == std::variant<std::monostate, point>(point{7, 8}));
  CHECK(there_and_back(std::tuple(point{1, 1}, mpz_class(9))) == std::tuple(point{1, 1}, mpz_class(9)));
}

TEST_CASE("a shared value inside an archive has a reference at the offset of its id") {
  const auto memory = std::make_shared<const std::string>("content");
  const auto data = std::make_shared<shared_data>(0x1234567890abcdef, memory, std::as_bytes(std::span(*memory)));
  class_with_holder value;
  value.held = {7, shared_access::make<std::string>(data)};
  byte_buffer buffer;
  shared_references references;
  byte_writer out(buffer, nullptr, &references);
  out.put<char>('x');
  encode(out, value);
  REQUIRE(references.size() == 1);
  CHECK(references[0].value == data);
  std::uint64_t id = 0;
  REQUIRE(references[0].offset + sizeof id <= buffer.size());
  std::memcpy(&id, buffer.data() + references[0].offset, sizeof id);
  CHECK(id == data->id());
}

TEST_CASE("a shared object stays shared within one value") {
  const auto shared = std::make_shared<point>(point{1, 2});
  const auto back = there_and_back(std::vector<std::shared_ptr<point>>{shared, shared});
  CHECK(back[0] == back[1]);
  CHECK(*back[0] == *shared);
}

TEST_CASE("bytes cut short anywhere are refused") {
  byte_buffer buffer;
  byte_writer out(buffer);
  const std::tuple value(std::vector<std::string>{"one", "two"}, mpz_class("123456789012345678901234567890"), point{1, 2});
  encode(out, std::get<0>(value));
  encode(out, std::get<1>(value));
  encode(out, std::get<2>(value));
  for (std::size_t n = 0; n < buffer.size(); ++n) {
    byte_reader in(buffer.data(), n);
    CHECK_THROWS_AS((decode<std::vector<std::string>>(in), decode<mpz_class>(in), decode<point>(in)), std::exception);
  }
}

TEST_CASE("a count larger than the message is refused before anything is allocated for it") {
  byte_buffer buffer;
  byte_writer out(buffer);
  out.put<std::uint64_t>(std::uint64_t{1} << 60);
  for (const auto& read : std::vector<std::function<void(byte_reader&)>>{
           [](byte_reader& in) { (void)decode<std::vector<double>>(in); },
           [](byte_reader& in) { (void)decode<std::string>(in); },
           [](byte_reader& in) { (void)decode<std::vector<std::string>>(in); },
           [](byte_reader& in) { (void)decode<mpz_class>(in); },
           [](byte_reader& in) { (void)decode<point>(in); },
       }) {
    byte_reader in(buffer);
    CHECK_THROWS_AS(read(in), rankpool::serialization_error);
  }
}

TEST_CASE("a function is encoded as its offset in the program") {
  const code_address where = locate_function(&twice);
  CHECK(resolve_function<int (*)(int)>(where) == &twice);
  CHECK(there_and_back(&twice) == &twice);
  CHECK_THROWS_AS(resolve_code({where.module, ~std::uint64_t{0} >> 1}), rankpool::serialization_error);
  CHECK_THROWS_AS(resolve_code({where.module + 1, where.offset}), rankpool::serialization_error);
  int not_code = 0;
  CHECK_THROWS_AS(locate_code(&not_code), rankpool::serialization_error);
  const code_address library = locate_code(reinterpret_cast<const void*>(&std::malloc));
  CHECK(resolve_code(library) == reinterpret_cast<const void*>(&std::malloc));
}

TEST_CASE("a partial is encoded with its bound arguments") {
  auto bound =
      rankpool::partial(rankpool::partial([](int a, const std::string& b, int c) { return b + std::to_string(a * c); }, 6), "x");
  byte_buffer buffer;
  byte_writer out(buffer);
  callable_codec<decltype(bound)>::encode(out, bound);
  byte_reader in(buffer);
  auto back = callable_codec<decltype(bound)>::decode(in);
  CHECK(back(7) == "x42");
}

TEST_CASE("an exception is decoded with its type and its nested exceptions") {
  byte_buffer buffer;
  try {
    try {
      throw std::out_of_range("inner");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  } catch (...) {
    byte_writer out(buffer);
    encode_current_exception(out);
  }
  byte_reader in(buffer);
  const auto e = decode_exception(in, {.rank = 3, .host = "node"}, 5);
  in.expect_end();
  try {
    std::rethrow_exception(e);
  } catch (const std::runtime_error& outer) {
    CHECK(std::string(outer.what()) == "outer");
    REQUIRE(rankpool::remote_context(outer) != nullptr);
    CHECK(rankpool::remote_context(outer)->rank == 3);
    CHECK(rankpool::remote_context(outer)->task == 5);
    CHECK_THROWS_AS(std::rethrow_if_nested(outer), std::out_of_range);
  }
}

TEST_CASE("a damaged exception is refused or decodes to an exception") {
  byte_buffer buffer;
  try {
    throw std::invalid_argument("message");
  } catch (...) {
    byte_writer out(buffer);
    encode_current_exception(out);
  }
  for (std::size_t at = 0; at < buffer.size(); ++at) {
    byte_buffer damaged;
    damaged.append(buffer.data(), buffer.size());
    damaged.data()[at] ^= std::byte{0xFF};
    byte_reader in(damaged);
    bool rebuilt_or_refused = true;
    try {
      rebuilt_or_refused = decode_exception(in, {}, 0) != nullptr;
    } catch (const rankpool::serialization_error&) {
    }
    CHECK(rebuilt_or_refused);
  }
}
