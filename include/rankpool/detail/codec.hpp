// How a value becomes bytes and comes back: encode(writer, value), decode<T>(reader).
//
// Numbers, strings, mpz_class and vectors, pairs, tuples, arrays, optionals and variants of such are written
// directly, arrays of numbers as one block. Everything else, above all a user's own class, goes through one
// Boost archive per value, which keeps shared pointers within the value shared.
#pragma once

#include <rankpool/detail/block.hpp>
#include <rankpool/detail/boost_archive.hpp>
#include <rankpool/detail/bytes.hpp>
#include <rankpool/detail/code_address.hpp>

#include <boost/serialization/is_bitwise_serializable.hpp>

#include <gmpxx.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rankpool::detail {

template <class T>
inline constexpr bool is_int128 = std::is_same_v<T, __int128> || std::is_same_v<T, unsigned __int128>;

/// Copied byte by byte: numbers, enumerations, and what the user declares so to Boost.
template <class T>
concept bitwise = !std::is_pointer_v<T> && !std::ranges::enable_view<T> && std::is_trivially_copyable_v<T> &&
                  (std::is_arithmetic_v<T> || std::is_enum_v<T> || is_int128<T> ||
                   boost::serialization::is_bitwise_serializable<T>::value);

// True for the types that codec writes itself, element types included.
template <class T>
struct is_native : std::bool_constant<bitwise<T>> {};
template <>
struct is_native<std::string> : std::true_type {};
template <>
struct is_native<mpz_class> : std::true_type {};
template <>
struct is_native<std::monostate> : std::true_type {};
template <class Rep, class Period>
struct is_native<std::chrono::duration<Rep, Period>> : is_native<Rep> {};
template <class T>
struct is_native<std::vector<T>> : is_native<T> {};
template <>
struct is_native<std::vector<bool>> : std::false_type {};
template <class T, std::size_t N>
struct is_native<std::array<T, N>> : is_native<T> {};
template <class A, class B>
struct is_native<std::pair<A, B>> : std::conjunction<is_native<A>, is_native<B>> {};
template <class... T>
struct is_native<std::tuple<T...>> : std::conjunction<is_native<T>...> {};
template <class T>
struct is_native<std::optional<T>> : is_native<T> {};
template <class T>
struct is_native<std::unique_ptr<T>> : is_native<T> {};  // Boost sends no pointer to a number
template <class... T>
struct is_native<std::variant<T...>> : std::conjunction<is_native<T>...> {};

/// What operator<< writes of it is a number.
template <class T>
inline constexpr bool streams_number = false;
template <>
inline constexpr bool streams_number<mpz_class> = true;

template <class T>
inline constexpr bool is_view = std::ranges::enable_view<T> || std::is_same_v<T, std::string_view>;

template <class F>
inline constexpr bool is_function_pointer = std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>;

template <class T>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

template <class T>
inline constexpr bool is_address = (std::is_pointer_v<T> && !is_function_pointer<T>) || is_view<T>;

/// A container of pointers or views.
template <class T>
inline constexpr bool holds_addresses = false;
template <class T>
  requires(std::ranges::range<T> && !is_view<T> && !std::is_same_v<std::ranges::range_value_t<T>, T>)
inline constexpr bool holds_addresses<T> = is_address<std::ranges::range_value_t<T>>;

/// Refused with a sentence where it is met; nothing further is said about it here.
template <class T>
inline constexpr bool is_unsendable = is_address<T> || holds_addresses<T> || is_std_function<T>;

template <class T>
struct codec {  // anything Boost.Serialization handles
  static void encode(byte_writer& out, const T& value) { boost_save(out, value); }
  static T decode(byte_reader& in) { return boost_load<T>(in); }
};

template <class T>
  requires(is_unsendable<T>)
struct codec<T> {
  static void encode(byte_writer&, const T&) {}
  static T decode(byte_reader&) { throw serialization_error("a pointer or view cannot travel"); }
};

template <class T>
  requires(is_function_pointer<T>)
struct codec<T> {
  static void encode(byte_writer& out, const T& f) { out.put(locate_function(f)); }
  static T decode(byte_reader& in) { return resolve_function<T>(in.get<code_address>()); }
};

template <class T>
void encode(byte_writer& out, const T& value) {
  codec<T>::encode(out, value);
}

/// Writes a value that is no longer needed otherwise: what is large of it need not be copied.
template <class T>
void encode_moved(byte_writer& out, T value) {
  if constexpr (requires { codec<T>::encode_moved(out, std::move(value)); }) {
    codec<T>::encode_moved(out, std::move(value));
  } else {
    codec<T>::encode(out, value);
  }
}

template <class T>
T decode(byte_reader& in) {
  return codec<T>::decode(in);
}

template <bitwise T>
struct codec<T> {
  static void encode(byte_writer& out, const T& value) { out.put(value); }
  static T decode(byte_reader& in) {
    if constexpr (std::is_same_v<T, bool>) {
      return in.get<std::uint8_t>() != 0;
    } else {
      return in.get<T>();
    }
  }
};

template <>
struct codec<std::string> {
  static void encode(byte_writer& out, const std::string& s) { out.put_string(s); }
  static std::string decode(byte_reader& in) { return in.get_string(); }
};

template <>
struct codec<std::monostate> {
  static void encode(byte_writer& out, std::monostate) { out.put<std::uint8_t>(0); }
  static std::monostate decode(byte_reader& in) { return (void)in.take(1), std::monostate{}; }
};

template <>
struct codec<mpz_class> {  // sign in the limb count, then the limbs as they lie
  static void encode(byte_writer& out, const mpz_class& number) {
    const auto* z = number.get_mpz_t();
    out.put<std::int64_t>(static_cast<std::int64_t>(mpz_size(z)) * mpz_sgn(z));
    out.raw(mpz_limbs_read(z), mpz_size(z) * sizeof(mp_limb_t));
  }
  static mpz_class decode(byte_reader& in) {
    const auto limbs = in.get<std::int64_t>();
    const auto n = limbs < 0 ? -static_cast<std::uint64_t>(limbs) : static_cast<std::uint64_t>(limbs);
    if (n > in.remaining() / sizeof(mp_limb_t)) throw serialization_error("message ends inside a large number");
    mpz_class number;
    if (n == 0) return number;
    const auto* bytes = in.take(n * sizeof(mp_limb_t));
    std::memcpy(mpz_limbs_write(number.get_mpz_t(), static_cast<mp_size_t>(n)), bytes, n * sizeof(mp_limb_t));
    mpz_limbs_finish(number.get_mpz_t(), static_cast<mp_size_t>(limbs));
    return number;
  }
};

template <class Rep, class Period>
  requires(is_native<Rep>::value)
struct codec<std::chrono::duration<Rep, Period>> {
  using duration = std::chrono::duration<Rep, Period>;
  static void encode(byte_writer& out, const duration& d) { detail::encode(out, d.count()); }
  static duration decode(byte_reader& in) { return duration(detail::decode<Rep>(in)); }
};

template <class T>
  requires(is_native<std::vector<T>>::value)
struct codec<std::vector<T>> {
  static void encode(byte_writer& out, const std::vector<T>& values) {
    if constexpr (bitwise<T>) {
      if (beside(out, values)) {
        std::vector<T> copy = contiguous<std::vector<T>>::make(values.size() * sizeof(T));
        std::copy(values.begin(), values.end(), copy.begin());
        attach(out, std::move(copy));
        return;
      }
    }
    out.put<std::uint64_t>(values.size());
    if constexpr (bitwise<T>) {
      out.raw(values.data(), values.size() * sizeof(T));
    } else {
      if constexpr (std::is_same_v<T, std::string>) {  // the size is soon found, and saves growing
        out.expect(std::transform_reduce(values.begin(), values.end(), std::size_t{0}, std::plus<>{},
                                         [](const std::string& s) { return sizeof(std::uint64_t) + s.size(); }));
      }
      for (const T& value : values) detail::encode(out, value);
    }
  }
  static void encode_moved(byte_writer& out, std::vector<T> values)
    requires bitwise<T>
  {
    if (beside(out, values)) {
      attach(out, std::move(values));
    } else {
      encode(out, values);
    }
  }
  static std::vector<T> decode(byte_reader& in) {
    if constexpr (bitwise<T>) {
      if (byte_reader ahead = in; ahead.get<std::uint64_t>() == attached) {
        in = ahead;
        return take_from<std::vector<T>>(in.take_attachment());
      }
      const std::size_t n = in.get_count(sizeof(T));
      const auto* bytes = in.take(n * sizeof(T));
      if (reinterpret_cast<std::uintptr_t>(bytes) % alignof(T) == 0) {
        const auto* first = reinterpret_cast<const T*>(bytes);
        return std::vector<T>(first, first + n);  // one pass: no zeroing before the copy
      }
      std::vector<T> values(n);
      if (n != 0) std::memcpy(values.data(), bytes, n * sizeof(T));
      return values;
    } else {
      const std::size_t n = in.get_count(1);
      std::vector<T> values;
      values.reserve(n);
      for (std::size_t i = 0; i < n; ++i) values.push_back(detail::decode<T>(in));
      return values;
    }
  }

 private:
  static constexpr std::uint64_t attached = std::numeric_limits<std::uint64_t>::max();  // in place of the size

  static bool beside(const byte_writer& out, const std::vector<T>& values) {
    return out.attaches() && values.size() * sizeof(T) >= bulk_bytes;
  }
  static void attach(byte_writer& out, std::vector<T> values) {
    out.put(attached);
    out.attach(std::make_shared<held<std::vector<T>>>(std::move(values)));
  }
};

template <class T, std::size_t N>
  requires(is_native<T>::value && !bitwise<std::array<T, N>>)
struct codec<std::array<T, N>> {
  static void encode(byte_writer& out, const std::array<T, N>& values) {
    for (const T& value : values) detail::encode(out, value);
  }
  static std::array<T, N> decode(byte_reader& in) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<T, N>{((void)I, detail::decode<T>(in))...};
    }(std::make_index_sequence<N>{});
  }
};

template <class A, class B>
  requires(is_native<std::pair<A, B>>::value)
struct codec<std::pair<A, B>> {
  static void encode(byte_writer& out, const std::pair<A, B>& value) {
    detail::encode(out, value.first);
    detail::encode(out, value.second);
  }
  static std::pair<A, B> decode(byte_reader& in) {
    A first = detail::decode<A>(in);
    B second = detail::decode<B>(in);
    return {std::move(first), std::move(second)};
  }
};

template <class... T>
  requires(is_native<std::tuple<T...>>::value)
struct codec<std::tuple<T...>> {
  static void encode(byte_writer& out, const std::tuple<T...>& values) {
    out.put<std::uint8_t>(sizeof...(T));  // never empty: a vector of them can be bounded by its bytes
    std::apply([&](const T&... value) { (detail::encode(out, value), ...); }, values);
  }
  static std::tuple<T...> decode(byte_reader& in) {
    (void)in.take(1);
    return std::tuple<T...>{detail::decode<T>(in)...};  // braces: evaluated left to right
  }
};

template <class T>
  requires(is_native<T>::value)
struct codec<std::optional<T>> {
  static void encode(byte_writer& out, const std::optional<T>& value) {
    out.put<std::uint8_t>(value.has_value());
    if (value) detail::encode(out, *value);
  }
  static std::optional<T> decode(byte_reader& in) {
    if (in.get<std::uint8_t>() == 0) return std::nullopt;
    return std::optional<T>(detail::decode<T>(in));
  }
};

template <class T>
  requires(is_native<T>::value)
struct codec<std::unique_ptr<T>> {
  static void encode(byte_writer& out, const std::unique_ptr<T>& value) {
    out.put<std::uint8_t>(value != nullptr);
    if (value) detail::encode(out, *value);
  }
  static std::unique_ptr<T> decode(byte_reader& in) {
    if (in.get<std::uint8_t>() == 0) return nullptr;
    return std::make_unique<T>(detail::decode<T>(in));
  }
};

template <class... T>
  requires(is_native<std::variant<T...>>::value)
struct codec<std::variant<T...>> {
  static void encode(byte_writer& out, const std::variant<T...>& value) {
    out.put<std::uint32_t>(static_cast<std::uint32_t>(value.index()));
    std::visit([&](const auto& held) { detail::encode(out, held); }, value);
  }
  static std::variant<T...> decode(byte_reader& in) {
    const auto which = in.get<std::uint32_t>();
    std::optional<std::variant<T...>> value;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (void)((which == I && (value.emplace(std::in_place_index<I>, detail::decode<T>(in)), true)) || ...);
    }(std::index_sequence_for<T...>{});
    if (!value) throw serialization_error("variant has no alternative " + std::to_string(which));
    return std::move(*value);
  }
};

}  // namespace rankpool::detail
