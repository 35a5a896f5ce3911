// Skips an encoded value without creating it, to find the value after one that cannot be decoded.
//
// Values of native types have no length prefix, so skip() follows the encoding of codec.hpp type by type. It allocates nothing,
// because a lack of memory is the usual reason why a value cannot be decoded.
#pragma once

#include <rankpool/detail/codec/codec.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rankpool::detail {

/// Moves `in` past an encoded T. Throws: serialization_error if the end of the value cannot be found.
template <class T>
void skip(byte_reader& in);

/// Skips the encoding of T. If codec<T> has a member `skip`, that is used instead.
template <class T>
struct skipper {
  static void skip(byte_reader& in) {
    if constexpr (bitwise<T>) {
      (void)in.take(sizeof(T));
    } else if constexpr (is_function_pointer<T>) {
      (void)in.take(sizeof(code_address));
    } else if constexpr (!is_native<T>::value) {  // a Boost archive with its length
      (void)in.take(in.get_count(1));
    } else {
      throw serialization_error("the length of this type's encoding is unknown");
    }
  }
};

template <>
struct skipper<std::string> {
  static void skip(byte_reader& in) { (void)in.take(in.get_count(1)); }
};

template <>
struct skipper<std::monostate> {
  static void skip(byte_reader& in) { (void)in.take(1); }
};

template <gmp_integer T>
struct skipper<T> {
  static void skip(byte_reader& in) {
    const auto limbs = in.get<std::int64_t>();
    const auto n = limbs < 0 ? -static_cast<std::uint64_t>(limbs) : static_cast<std::uint64_t>(limbs);
    if (n > in.remaining() / sizeof(mp_limb_t)) throw serialization_error("message ends inside a large number");
    (void)in.take(n * sizeof(mp_limb_t));
  }
};

template <class Rep, class Period>
  requires(is_native<Rep>::value && !bitwise<std::chrono::duration<Rep, Period>>)
struct skipper<std::chrono::duration<Rep, Period>> {
  static void skip(byte_reader& in) { detail::skip<Rep>(in); }
};

template <class T>
  requires(is_native<std::vector<T>>::value)
struct skipper<std::vector<T>> {
  static void skip(byte_reader& in) {
    if constexpr (bitwise<T>) {
      if (byte_reader ahead = in; ahead.get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max()) {
        in = ahead;
        (void)in.take_attachment();
        return;
      }
      const std::size_t n = in.get_count(sizeof(T));
      (void)in.take(n * sizeof(T));
    } else {
      const std::size_t n = in.get_count(1);
      for (std::size_t i = 0; i < n; ++i) detail::skip<T>(in);
    }
  }
};

template <element_array T>
struct skipper<T> {
  static void skip(byte_reader& in) {
    using element = std::remove_cvref_t<decltype(*std::begin(std::declval<T&>()))>;
    for (std::size_t i = 0; i < sizeof(T) / sizeof(element); ++i) detail::skip<element>(in);
  }
};

template <class T>
  requires(is_plain_struct<T>&& is_native<T>::value && !bitwise<T>)
struct skipper<T> {
  static void skip(byte_reader& in) {
    [&]<class... M>(type_list<M...>) { (detail::skip<M>(in), ...); }(member_types_t<T>{});
  }
};

template <node_container T>
struct skipper<T> {
  static void skip(byte_reader& in) {
    for (std::size_t n = in.get_count(1); n > 0; --n) detail::skip<typename T::value_type>(in);
  }
};

template <class A, class B>
  requires(is_native<std::pair<A, B>>::value && !bitwise<std::pair<A, B>>)
struct skipper<std::pair<A, B>> {
  static void skip(byte_reader& in) {
    detail::skip<A>(in);
    detail::skip<B>(in);
  }
};

template <class... T>
  requires(is_native<std::tuple<T...>>::value && !bitwise<std::tuple<T...>>)
struct skipper<std::tuple<T...>> {
  static void skip(byte_reader& in) {
    (void)in.take(1);
    (detail::skip<T>(in), ...);
  }
};

template <class T>
  requires(is_native<T>::value && !bitwise<std::optional<T>>)
struct skipper<std::optional<T>> {
  static void skip(byte_reader& in) {
    if (in.get<std::uint8_t>() != 0) detail::skip<T>(in);
  }
};

template <class T>
  requires(is_native<T>::value)
struct skipper<std::unique_ptr<T>> {
  static void skip(byte_reader& in) {
    if (in.get<std::uint8_t>() != 0) detail::skip<T>(in);
  }
};

template <class... T>
  requires(is_native<std::variant<T...>>::value && !bitwise<std::variant<T...>>)
struct skipper<std::variant<T...>> {
  static void skip(byte_reader& in) {
    const auto which = in.get<std::uint32_t>();
    const bool known = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((which == I && (detail::skip<T>(in), true)) || ...);
    }
    (std::index_sequence_for<T...>{});
    if (!known) throw serialization_error("variant has no alternative " + std::to_string(which));
  }
};

template <class T>
void skip(byte_reader& in) {
  using value = std::remove_cv_t<T>;
  if constexpr (requires { codec<value>::skip(in); }) {
    codec<value>::skip(in);
  } else {
    skipper<value>::skip(in);
  }
}

/// Decodes the next of several entries, each of which consists of T... without a length prefix. If an entry cannot be decoded, only
/// this entry is lost: `in` moves to the next one. If the next one cannot be found, all further reads throw a serialization_error.
/// Throws: what `decode` throws.
template <class... T, class Decode>
auto decode_or_skip(byte_reader& in, Decode decode) {
  const byte_reader::position entry = in.at();  // copying the reader would take longer than decoding a number
  try {
    return decode(in);
  } catch (...) {
    in.rewind(entry);
    try {
      (detail::skip<T>(in), ...);
    } catch (...) {
      in.lose_position();
    }
    throw;
  }
}

}  // namespace rankpool::detail
