// Maps numbers to unsigned integers (keys) of the same size and order, so that one sort and one search serve all types.
//
// The mapping is a bijection of bit patterns. Floating-point numbers follow IEEE's total order, except that negative NaNs come
// last, like all NaNs, as in numpy. -0.0 comes right before 0.0.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace jobs {

template <class Number>
using key_of = std::conditional_t<sizeof(Number) == 8, std::uint64_t, std::uint32_t>;

namespace detail {
template <class Key>
inline constexpr Key sign_bit = Key{1} << (std::numeric_limits<Key>::digits - 1);

/// The number of negative NaNs. In the order of their bits, they would come before minus infinity.
template <std::floating_point Number>
inline constexpr auto negative_nans = static_cast<key_of<Number>>((key_of<Number>{1} << (std::numeric_limits<Number>::digits - 1)) -
                                                                  1);
}  // namespace detail

template <class Number>
constexpr key_of<Number> to_key(key_of<Number> bits) {
  using key = key_of<Number>;
  constexpr key sign = detail::sign_bit<key>;
  if constexpr (std::integral<Number>) {
    return bits ^ sign;
  } else {
    const key ordered = (bits & sign) != 0 ? static_cast<key>(~bits) : bits | sign;
    return ordered - detail::negative_nans<Number>;  // wraps negative NaNs around to the end
  }
}

template <class Number>
constexpr key_of<Number> from_key(key_of<Number> value) {
  using key = key_of<Number>;
  constexpr key sign = detail::sign_bit<key>;
  if constexpr (std::integral<Number>) {
    return value ^ sign;
  } else {
    const key ordered = value + detail::negative_nans<Number>;
    return (ordered & sign) != 0 ? ordered ^ sign : static_cast<key>(~ordered);
  }
}

/// Converts numbers to keys in place.
template <class Number>
void to_keys(std::span<key_of<Number>> numbers) {
  for (auto& n : numbers) n = to_key<Number>(n);
}
template <class Number>
void from_keys(std::span<key_of<Number>> keys) {
  for (auto& k : keys) k = from_key<Number>(k);
}

}  // namespace jobs
