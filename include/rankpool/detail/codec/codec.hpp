// Converts values to bytes and back: encode(writer, value), decode<T>(reader).
//
// Numbers, strings, mpz_class, plain structs and standard containers of these are encoded directly. Bitwise types are copied as
// one block of bytes. Any other type, above all a class with its own `serialize`, is encoded as one Boost archive per value.
// Shared pointers within such a value stay shared.
//
// Large objects are never copied onto the stack. It is decoded into its final place, by decode_into() or by guaranteed elision.
#pragma once

#include <rankpool/detail/codec/boost_archive.hpp>
#include <rankpool/detail/codec/boxed_if_large.hpp>
#include <rankpool/detail/codec/padding.hpp>
#include <rankpool/detail/codec/sendable.hpp>
#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/code_address.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <functional>
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

/// Encodes and decodes values of type T. The primary template uses Boost.Serialization.
template <class T>
struct codec {
  static void encode(byte_writer& out, const T& value) { boost_save(out, value); }
  static T decode(byte_reader& in) { return boost_load<T>(in); }
  static void decode_into(byte_reader& in, T& value) { boost_load(in, value); }
};

template <class T>
  requires(is_unsendable<T>)
struct codec<T> {
  static void encode(byte_writer&, const T&) {}
  static T decode(byte_reader&) { throw serialization_error("a pointer or view cannot be sent to another process"); }
};

template <class T>
  requires(is_function_pointer<T>)
struct codec<T> {
  static void encode(byte_writer& out, const T& f) { out.put(f == nullptr ? code_address{} : locate_function(f)); }
  static T decode(byte_reader& in) {
    const auto where = in.get<code_address>();
    return where == code_address{} ? nullptr : resolve_function<T>(where);
  }
};

/// Writes a value.
template <class T>
void encode(byte_writer& out, const T& value) {
  codec<T>::encode(out, value);
}

/// Writes a value that is not needed any more, so that its large data need not be copied.
template <class T>
void encode_moved(byte_writer& out, T&& value) {
  if constexpr (requires { codec<T>::encode_moved(out, std::move(value)); }) {
    codec<T>::encode_moved(out, std::move(value));
  } else {
    codec<T>::encode(out, value);
  }
}

/// Reads a value. Throws: serialization_error, or what the type's own serialization throws.
template <class T>
T decode(byte_reader& in) {
  return codec<std::remove_cv_t<T>>::decode(in);
}

/// Reads a value into an existing object. Throws: as decode() does.
template <class T>
void decode_into(byte_reader& in, T& value) {
  if constexpr (requires { codec<T>::decode_into(in, value); }) {
    codec<T>::decode_into(in, value);
  } else {
    value = detail::decode<T>(in);
  }
}

/// A type whose objects can be created first and then filled in, member by member, by decoding.
template <class T>
concept decodable_in_place = std::default_initializable<T> && std::movable<std::remove_all_extents_t<T>>;

/// Decodes into a local variable and returns it without a copy. A function of its own, because GCC elides the copy only of a
/// variable of the outermost block.
template <class T>
T decode_in_place(byte_reader& in) {
  T value{};
  decode_into(in, value);
  return value;
}

/// A type that is too large to be moved from a temporary object to its final place.
template <class T>
concept decoded_in_place = is_large<T> && decodable_in_place<T>;

/// T, or void if a function cannot return a T.
template <class T>
using returnable = std::conditional_t<std::is_array_v<T>, void, T>;

template <bitwise T>
struct codec<T> {
  static void encode(byte_writer& out, const T& value) {
    const std::size_t at = out.size();
    out.raw(&value, sizeof value);
    clear_padding(out.buffer().data() + at, value);
  }
  static returnable<T> decode(byte_reader& in) {
    if constexpr (std::is_same_v<T, bool>) {
      return in.get<std::uint8_t>() != 0;
    } else if constexpr (!std::is_array_v<T>) {
      return in.get<T>();
    }
  }
  static void decode_into(byte_reader& in, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = decode(in);
    } else {
      std::memcpy(static_cast<void*>(&value), in.take(sizeof value), sizeof value);
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

template <gmp_integer T>
struct codec<T> {  // the number of limbs with the sign of the value, then the limbs
  static void encode(byte_writer& out, const T& number) {
    const auto* z = number.get_mpz_t();
    out.put<std::int64_t>(static_cast<std::int64_t>(mpz_size(z)) * mpz_sgn(z));
    out.raw(mpz_limbs_read(z), mpz_size(z) * sizeof(mp_limb_t));
  }
  static T decode(byte_reader& in) {
    const auto limbs = in.get<std::int64_t>();
    const auto n = limbs < 0 ? -static_cast<std::uint64_t>(limbs) : static_cast<std::uint64_t>(limbs);
    if (n > in.remaining() / sizeof(mp_limb_t)) throw serialization_error("message ends inside a large number");
    T number;
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
      if (out_of_band(out, values)) {
        std::vector<T> copy = contiguous<std::vector<T>>::make(values.size() * sizeof(T));
        std::copy(values.begin(), values.end(), copy.begin());
        attach(out, std::move(copy));
        return;
      }
    }
    out.put<std::uint64_t>(values.size());
    if constexpr (bitwise<T>) {
      const std::size_t begin = out.size();
      out.raw(values.data(), values.size() * sizeof(T));
      if constexpr (has_padding<T>()) {
        std::byte* copy = out.buffer().data() + begin;
        for (const T& value : values) clear_padding(std::exchange(copy, copy + sizeof(T)), value);
      }
    } else {
      if constexpr (std::is_same_v<T, std::string>) {  // computing the size is cheap and avoids reallocations
        std::size_t size = 0;
        for (const std::string& s : values) size += sizeof(std::uint64_t) + s.size();
        out.expect(size);
      }
      for (const T& value : values) detail::encode(out, value);
    }
  }
  static void encode_moved(byte_writer& out, std::vector<T> values) requires bitwise<T> {
    if (out_of_band(out, values)) {
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
      for (std::size_t i = 0; i < n; ++i) {
        if constexpr (decoded_in_place<T>) {
          detail::decode_into(in, values.emplace_back());
        } else {
          values.push_back(detail::decode<T>(in));
        }
      }
      return values;
    }
  }

 private:
  static constexpr std::uint64_t attached = std::numeric_limits<std::uint64_t>::max();  // written in place of the size

  static bool out_of_band(const byte_writer& out, const std::vector<T>& values) {
    return out.attaches() && values.size() * sizeof(T) >= bulk_bytes;
  }
  static void attach(byte_writer& out, std::vector<T> values) {
    clear_padding(std::span(values));
    out.put(attached);
    out.attach(std::make_shared<held<std::vector<T>>>(std::move(values)));
  }
};

/// A std::array or C array whose elements are not bitwise, for example as a member of a plain struct.
template <class T>
concept element_array = is_native<T>::value && !bitwise<T> && (is_std_array<T> || std::is_array_v<T>);

template <element_array T>
struct codec<T> {
  static void encode(byte_writer& out, const T& values) {
    for (const auto& value : values) detail::encode(out, value);
  }
  static void decode_into(byte_reader& in, T& values) {
    for (auto& value : values) detail::decode_into(in, value);
  }
  static returnable<T> decode(byte_reader& in) {
    if constexpr (std::is_array_v<T>) {
      static_assert(!std::is_array_v<T>,
                    "rankpool: a struct with a C array and a member that cannot be assigned cannot be sent to "
                    "another process: use std::array, or make the members assignable");
    } else if constexpr (decodable_in_place<typename T::value_type>) {
      return decode_in_place<T>(in);
    } else {
      return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return T{((void)I, detail::decode<typename T::value_type>(in))...};
      }
      (std::make_index_sequence<std::tuple_size_v<T>>{});
    }
  }
};

template <class T>
  requires(is_plain_struct<T>&& is_native<T>::value && !bitwise<T>)
struct codec<T> {
  static void encode(byte_writer& out, const T& value) {
    visit_members(value, [&](const auto&... members) { (detail::encode(out, members), ...); });
  }
  static void decode_into(byte_reader& in, T& value) requires decodable_in_place<T> {
    visit_members(value, [&](auto&... members) { (detail::decode_into(in, members), ...); });
  }
  static T decode(byte_reader& in) {
    if constexpr (decodable_in_place<T>) {
      return decode_in_place<T>(in);
    } else {  // a member cannot be assigned
      return [&]<class... M>(type_list<M...>) { return T{detail::decode<M>(in)...}; }(member_types_t<T>{});
    }
  }
};

template <class A, class B>
  requires(is_native<std::pair<A, B>>::value)
struct codec<std::pair<A, B>> {
  static void encode(byte_writer& out, const std::pair<A, B>& value) {
    detail::encode(out, value.first);
    detail::encode(out, value.second);
  }
  static void decode_into(byte_reader& in, std::pair<A, B>& value) requires decodable_in_place<std::pair<A, B>> {
    detail::decode_into(in, value.first);
    detail::decode_into(in, value.second);
  }
  static std::pair<A, B> decode(byte_reader& in) {
    if constexpr (decoded_in_place<std::pair<A, B>>) {
      return decode_in_place<std::pair<A, B>>(in);
    } else {
      A first = detail::decode<A>(in);
      B second = detail::decode<B>(in);
      return {std::move(first), std::move(second)};
    }
  }
};

template <class... T>
  requires(is_native<std::tuple<T...>>::value)
struct codec<std::tuple<T...>> {
  static void encode(byte_writer& out, const std::tuple<T...>& values) {
    out.put<std::uint8_t>(sizeof...(T));  // at least one byte per tuple, which bounds the size of a vector of tuples
    std::apply([&](const T&... value) { (detail::encode(out, value), ...); }, values);
  }
  static void decode_into(byte_reader& in, std::tuple<T...>& values) requires decodable_in_place<std::tuple<T...>> {
    (void)in.take(1);
    std::apply([&](T&... value) { (detail::decode_into(in, value), ...); }, values);
  }
  static std::tuple<T...> decode(byte_reader& in) {
    if constexpr (decoded_in_place<std::tuple<T...>>) {
      return decode_in_place<std::tuple<T...>>(in);
    } else {
      (void)in.take(1);
      return std::tuple<T...>{detail::decode<T>(in)...};  // braces guarantee evaluation from left to right
    }
  }
};

/// A container of the standard library that stores each element in a separate node.
template <class T>
concept node_container = is_native<T>::value && std::ranges::range<T> && requires(T& container, typename T::value_type& element) {
  container.insert(container.end(), std::move(element));
  container.get_allocator();
} && !requires(T & container) {
  container.data();
};

template <node_container T>
struct codec<T> {
  static void encode(byte_writer& out, const T& values) {
    out.put<std::uint64_t>(values.size());
    for (const auto& value : values) detail::encode(out, value);
  }
  static T decode(byte_reader& in) {
    const std::size_t n = in.get_count(1);
    T values;
    for (std::size_t i = 0; i < n; ++i) values.insert(values.end(), detail::decode<typename T::value_type>(in));
    return values;
  }
};

template <class T>
  requires(is_native<T>::value)
struct codec<std::optional<T>> {
  static void encode(byte_writer& out, const std::optional<T>& value) {
    out.put<std::uint8_t>(value.has_value());
    if (value) detail::encode(out, *value);
  }
  static void decode_into(byte_reader& in, std::optional<T>& value) {
    value.reset();
    if (in.get<std::uint8_t>() == 0) return;
    if constexpr (decoded_in_place<T>) {
      detail::decode_into(in, value.emplace());
    } else {
      value.emplace(detail::decode<T>(in));
    }
  }
  static std::optional<T> decode(byte_reader& in) { return decode_in_place<std::optional<T>>(in); }
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
    return std::unique_ptr<T>(new T(detail::decode<T>(in)));
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
    if constexpr (decoded_in_place<std::variant<T...>>) {
      return decode_in_place<std::variant<T...>>(in);
    } else {
      std::optional<std::variant<T...>> value;
      read_alternative(
          in, [&]<std::size_t I, class Alternative>() { value.emplace(std::in_place_index<I>, detail::decode<Alternative>(in)); });
      return std::move(*value);
    }
  }
  static void decode_into(byte_reader& in, std::variant<T...>& value) requires decodable_in_place<std::variant<T...>> {
    read_alternative(in, [&]<std::size_t I, class Alternative>() {
      if constexpr (decoded_in_place<Alternative>) {
        detail::decode_into(in, value.template emplace<I>());
      } else {
        value.template emplace<I>(detail::decode<Alternative>(in));
      }
    });
  }

 private:
  template <class Read>
  static void read_alternative(byte_reader& in, Read read) {
    const auto which = in.get<std::uint32_t>();
    if (which >= sizeof...(T)) throw serialization_error("variant has no alternative " + std::to_string(which));
    [&]<std::size_t... I>(std::index_sequence<I...>) { (void)((which == I && (read.template operator()<I, T>(), true)) || ...); }
    (std::index_sequence_for<T...>{});
  }
};

/// Saves or loads one member of a plain struct in a Boost archive.
template <class Archive, class M>
void archive_member(Archive& archive, M& member) {
  if constexpr (!is_native<M>::value) {
    archive& member;
  } else if constexpr (Archive::is_saving::value) {
    byte_buffer bytes;
    shared_references references;
    byte_writer out(bytes, nullptr, &references);
    encode(out, member);
    const std::uint64_t size = bytes.size();
    archive << size;
    if constexpr (std::is_same_v<Archive, boost::archive::binary_oarchive>) {
      byte_writer* const target = references.empty() ? nullptr : archive_target::of(archive).out;
      if (target != nullptr) {
        for (const auto& [offset, value] : references) target->refer_to(value, target->size() + offset);
      }
    }
    archive.save_binary(bytes.data(), size);
  } else {
    std::uint64_t size = 0;
    archive >> size;
    byte_buffer bytes;
    bytes.resize(size);
    archive.load_binary(bytes.data(), size);
    byte_reader in(bytes);
    decode_into(in, member);
  }
}

}  // namespace rankpool::detail

namespace boost::serialization {

/// Serializes a plain struct within a Boost archive, for example in a class with its own serialize. Members that codec encodes
/// itself are stored as bytes in the archive.
// The type of the third parameter hides this function from the search for the struct's own serialize.
template <class Archive, class T, std::same_as<version_type> Version>
  requires(rankpool::detail::is_plain_struct<T>)
void serialize(Archive& archive, T& value, Version) {
  rankpool::detail::visit_members(value, [&](auto&... members) { (rankpool::detail::archive_member(archive, members), ...); });
}

}  // namespace boost::serialization
