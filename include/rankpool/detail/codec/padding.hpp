// Padding: the bytes of an object that are not part of its value.
//
// Padding contains whatever the memory contained before. It is zeroed in data that is sent, for two reasons. Equal values must have
// equal bytes, because a journal identifies inputs by their bytes. And no uninitialised memory may leave the process.
#pragma once

#include <rankpool/detail/codec/sendable.hpp>

#include <algorithm>
#include <cfloat>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

namespace rankpool::detail {

template <class T>
consteval bool has_padding();

template <class... M>
consteval bool have_padding(std::size_t size, type_list<M...>) {
  const std::size_t sum = ((std::is_empty_v<M> ? 0 : sizeof(M)) + ... + 0);
  return sum != size || (has_padding<std::remove_cv_t<M>>() || ... || false);
}

/// Returns whether a bitwise type has padding. Returns false for types that the user has declared to Boost as bitwise serializable.
template <class T>
consteval bool has_padding() {
  if constexpr (std::is_same_v<T, long double>) {
    return LDBL_MANT_DIG == 64;  // x87: 10 of 16 bytes are used
  } else if constexpr (is_complex_number<T>) {
    return has_padding<typename T::value_type>();
  } else if constexpr (std::is_array_v<T>) {
    return has_padding<std::remove_cv_t<std::remove_all_extents_t<T>>>();
  } else if constexpr (is_std_array<T>) {
    return has_padding<typename T::value_type>();
  } else if constexpr (is_plain_struct<T>) {
    return have_padding(sizeof(T), member_types_t<T>{});
  } else {
    return false;
  }
}

/// Zeroes the padding in `copy`, the first `size` bytes of a copy of `value`. The copy may be the value itself.
template <class T>
void clear_padding(std::byte* copy, const T& value, std::size_t size = sizeof(T)) {
  if constexpr (!has_padding<T>()) {
    return;
  } else if constexpr (std::is_same_v<T, long double>) {
    std::memset(copy + 10, 0, size - 10);
  } else if constexpr (is_complex_number<T>) {
    clear_padding(copy, reinterpret_cast<const typename T::value_type(&)[2]>(value), size);
  } else if constexpr (std::is_array_v<T> || is_std_array<T>) {
    std::size_t at = 0;
    for (const auto& element : value) {
      clear_padding(copy + at, element, std::min(sizeof element, size - at));
      at += sizeof element;
    }
  } else {
    std::size_t end = size;  // of the member, because the next member may begin in its padding
    const auto clear_from = [&]<class M>(const M& member) {
      if constexpr (!std::is_empty_v<M>) {
        const auto begin =
            static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&member) - reinterpret_cast<const std::byte*>(&value));
        const std::size_t member_size = std::min(sizeof(M), end - begin);
        std::memset(copy + begin + member_size, 0, end - begin - member_size);
        clear_padding(copy + begin, member, member_size);
        end = begin;
      }
    };
    visit_members(value, [&](const auto&... members) {
      int from_last_to_first = 0;
      static_cast<void>(((clear_from(members), from_last_to_first) = ... = 0));
    });
    std::memset(copy, 0, end);
  }
}

/// Zeroes the padding of these objects.
template <class T>
void clear_padding(std::span<T> values) {
  if constexpr (has_padding<T>()) {
    for (T& value : values) clear_padding(reinterpret_cast<std::byte*>(&value), value);
  }
}

}  // namespace rankpool::detail
