// Prints values as JSON text, to show results of journals. Included only where a result type is registered: see result_printer.hpp.
//
// - A number, including mpz_class, becomes a number.
// - Text becomes a string, in which bytes that are not UTF-8 are replaced.
// - Pairs, tuples, ranges and plain structs become arrays.
// - An optional or a pointer becomes its value or null. A duration becomes its seconds.
// - Any other type with operator<<, also a plain struct, becomes the string that the operator writes.
#pragma once

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/detail/codec/codec.hpp>

#include <gmpxx.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstring>
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

/// Appends text as a quoted JSON string.
void put_json_string(std::string& out, std::string_view text);
/// Appends an integer, given as sign and magnitude.
void put_json_integer(std::string& out, bool negative, unsigned __int128 magnitude);

/// What operator<< writes of it is a number.
template <class T>
inline constexpr bool streams_number = false;
template <>
inline constexpr bool streams_number<mpz_class> = true;

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

/// Appends a value as JSON text. Returns false, and appends null, if its type has no text.
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
    const bool finite = std::isfinite(value);  // JSON has no infinities and no NaN
    out += finite ? std::string_view(digits, std::to_chars(digits, std::end(digits), value).ptr) : "null";
  } else if constexpr (std::is_enum_v<T>) {
    put_json(out, +static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_array_v<T> && std::same_as<std::remove_extent_t<T>, char>) {  // ends at the first zero byte, if any
    put_json_string(out, {value, ::strnlen(value, sizeof value)});
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
  } else if constexpr (nullable<T> && !is_function_pointer<T>) {
    if (value) return put_json(out, *value);
    out += "null";
  } else if constexpr (streamable<T>) {
    put_json_string(out, streamed(value));
  } else if constexpr (is_plain_struct<T>) {
    const std::size_t before = out.size();
    visit_members(value, [&](const auto&... members) { (put_element(members), ...); });
    out += out.size() == before ? "[]" : "]";
  } else {
    out += "null";
    return false;
  }
  return true;
}

/// Reads one result of type R and appends its JSON text; returns what put_json() returns. Throws: serialization_error.
/// `&print_result<R>` is the result_printer of R.
template <class R>
bool print_result(byte_reader& in, std::string& out) {
  if constexpr (std::is_void_v<R>) {
    return put_json(out, std::monostate{});
  } else {
    const boxed_if_large<R> result([&] { return decode_result<R>(in); });
    return put_json(out, *result);
  }
}

}  // namespace rankpool::detail
