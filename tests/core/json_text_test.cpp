// Results as JSON text: how an exported journal shows each kind of type.
#include <rankpool/detail/journal/result_printer.hpp>
#include <rankpool/register_result.hpp>

#include "support/catch.hpp"

#include <gmpxx.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

namespace {

using rankpool::detail::put_json;

struct with_operator {
  int value = 0;
  friend std::ostream& operator<<(std::ostream& out, const with_operator& w) { return out << "is \"" << w.value << '"'; }
};

class without_text {
 public:
  without_text() {}  // a constructor, so that it is not a plain struct
};

enum class letter : char { a = 97 };

template <class T>
std::string json(const T& value) {
  std::string text;
  CHECK(put_json(text, value) == !std::is_same_v<T, without_text>);
  return text;
}

}  // namespace

TEST_CASE("numbers of any size are JSON numbers with all their digits") {
  CHECK(json(-5) == "-5");
  CHECK(json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(json(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(json(static_cast<unsigned __int128>(-1)) == "340282366920938463463374607431768211455");
  CHECK(json(mpz_class("-123456789012345678901234567890")) == "-123456789012345678901234567890");
  CHECK(json(0.1) == "0.1");
  CHECK(json(0.1F) == "0.1");
  CHECK(json(std::numeric_limits<double>::infinity()) == "null");  // JSON has no infinity
  CHECK(json(letter::a) == "97");
  CHECK(json(std::uint8_t{65}) == "65");
  CHECK(json(std::chrono::milliseconds(1500)) == "1.5");
}

TEST_CASE("text is a JSON string, and bytes that are not UTF-8 are replaced") {
  CHECK(json(std::string("a\n\"\\\x01")) == R"("a\n\"\\\u0001")");
  CHECK(json(std::string("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80")) == "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"");
  CHECK(json(std::string("a\xFFz")) == "\"a\uFFFDz\"");
  CHECK(json(std::string("\xC0\xAF")) == "\"\uFFFD\uFFFD\"");            // not the shortest form
  CHECK(json(std::string("\xED\xA0\x80")) == "\"\uFFFD\uFFFD\uFFFD\"");  // half of a surrogate pair
  CHECK(json(std::string("\xE2\x82")) == "\"\uFFFD\"");                  // truncated
  CHECK(json('c') == "\"c\"");
  CHECK(json(std::filesystem::path("/tmp/x")) == "\"/tmp/x\"");
}

TEST_CASE("pairs, tuples and ranges are arrays, an optional is its value or null") {
  CHECK(json(std::pair(1, std::string("x"))) == "[1,\"x\"]");
  CHECK(json(std::tuple(true, 2.5, std::optional<int>())) == "[true,2.5,null]");
  CHECK(json(std::tuple<>()) == "[]");
  CHECK(json(std::vector<std::vector<int>>{{}, {1, 2}}) == "[[],[1,2]]");
  CHECK(json(std::vector<bool>{true, false}) == "[true,false]");
  CHECK(json(std::array{1, 2}) == "[1,2]");
  CHECK(json(std::list<std::string>{"a"}) == "[\"a\"]");
  CHECK(json(std::map<std::string, int>{{"k", 1}}) == "[[\"k\",1]]");
  CHECK(json(std::optional(4)) == "4");
  CHECK(json(std::make_unique<int>(3)) == "3");
  CHECK(json(std::variant<int, std::string>("v")) == "\"v\"");
  CHECK(json(std::monostate()) == "null");
}

TEST_CASE("results have text if their type is registered, and the latest registration is used") {
  using rankpool::detail::find_result_printer;
  using rankpool::detail::print_result;
  CHECK(find_result_printer(typeid(double)) == &print_result<double>);
  CHECK(find_result_printer(typeid(std::vector<mpz_class>)) == &print_result<std::vector<mpz_class>>);
  CHECK(find_result_printer(typeid(void)) == &print_result<void>);
  CHECK(find_result_printer(typeid(with_operator)) == nullptr);
  {
    const rankpool::detail::registered_result<with_operator> once;
    { const rankpool::detail::registered_result<with_operator> twice; }
    CHECK(find_result_printer(typeid(with_operator)) == &print_result<with_operator>);
  }
  CHECK(find_result_printer(typeid(with_operator)) == nullptr);
}

TEST_CASE("any other type is the string that its operator<< writes, or null without one") {
  CHECK(json(with_operator{4}) == R"("is \"4\"")");
  CHECK(json(without_text{}) == "null");
  CHECK(json(std::vector<without_text>(2)) == "[null,null]");
}
