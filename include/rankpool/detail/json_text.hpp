// Results as JSON text, for who looks into a journal: where the result's type is known, its printer is made.
//
// A number, of mpz_class as well, is a number, text a string (what is not UTF-8 replaced), pairs, tuples and ranges are arrays, an
// optional is its value or null, a duration its seconds; what else has operator<< is the string that this writes.
#pragma once

#include <rankpool/detail/codec.hpp>
#include <rankpool/detail/invocation.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <filesystem>
#include <iterator>
#include <locale>
#include <ostream>
#include <ranges>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace rankpool::detail {

void put_json_string(std::string& out, std::string_view text);
void put_json_integer(std::string& out, bool negative, unsigned __int128 magnitude);

template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;

template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;

template <class T>
concept listed = std::ranges::input_range<const T> && !std::same_as<std::ranges::range_value_t<const T>, T>;
template <class T>
concept tuple_like = requires {
  std::tuple_size<T>::value;
};
template <class T>
concept nullable = requires(const T& value) {
  static_cast<bool>(value);
  *value;
};
template <class T>
concept streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

template <streamable T>
std::string streamed(const T& value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << value;
  return std::move(text).str();
}

/// False: the value has no text; null stands for it.
template <class T>
bool put_json(std::string& out, const T& value) {
  [[maybe_unused]] auto put_element = [&, separator = '['](const auto& element) mutable {
    out += std::exchange(separator, ',');
    put_json<std::remove_cvref_t<decltype(element)>>(out, element);
  };
  if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::same_as<T, std::monostate>) {
    out += "null";
  } else if constexpr (std::same_as<T, char>) {
    put_json_string(out, {&value, 1});
  } else if constexpr (std::integral<T> || is_int128<T>) {
    const auto magnitude = static_cast<unsigned __int128>(value);
    put_json_integer(out, value < T{}, value < T{} ? -magnitude : magnitude);
  } else if constexpr (std::floating_point<T>) {
    char digits[64];
    const bool finite = std::isfinite(value);  // JSON has no other
    out += finite ? std::string_view(digits, std::to_chars(digits, std::end(digits), value).ptr) : "null";
  } else if constexpr (std::is_enum_v<T>) {
    put_json(out, +static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    put_json_string(out, value);
  } else if constexpr (std::same_as<T, std::filesystem::path>) {
    put_json_string(out, value.native());
  } else if constexpr (streams_number<T>) {
    out += streamed(value);
  } else if constexpr (is_duration<T>) {
    put_json(out, std::chrono::duration<double>(value).count());
  } else if constexpr (is_variant<T>) {
    return std::visit([&](const auto& held) { return put_json(out, held); }, value);
  } else if constexpr (listed<T>) {
    const std::size_t before = out.size();
    for (const std::ranges::range_value_t<const T>& element : value) put_element(element);
    out += out.size() == before ? "[]" : "]";
  } else if constexpr (tuple_like<T>) {
    std::apply([&](const auto&... element) { (put_element(element), ...); }, value);
    out += std::tuple_size_v<T> == 0 ? "[]" : "]";
  } else if constexpr (nullable<T>) {
    if (value) return put_json(out, *value);
    out += "null";
  } else if constexpr (streamable<T>) {
    put_json_string(out, streamed(value));
  } else {
    out += "null";
    return false;
  }
  return true;
}

/// Reads one result of type R and appends its text, as put_json. Throws serialization_error. The printer of a call or a task:
/// `&print_result<R>`.
template <class R>
bool print_result(byte_reader& in, std::string& out) {
  if constexpr (std::is_void_v<R>) {
    return put_json(out, std::monostate{});
  } else {
    return put_json(out, decode_result<R>(in));
  }
}

}  // namespace rankpool::detail
