// Decides at compile time how a type is sent: as bytes, by rankpool's codec, through a Boost archive, or not at all.
//
// The decision depends on the type and the types that it consists of. A type that contains itself, such as a tree, is examined
// once.
#pragma once

#include <rankpool/detail/codec/aggregate.hpp>
#include <rankpool/detail/codec/foreign_types.hpp>
#include <rankpool/detail/codec/own_serialize.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace rankpool::detail {

template <class T>
inline constexpr bool is_int128 = std::is_same_v<T, __int128> || std::is_same_v<T, unsigned __int128>;

template <class T>
inline constexpr bool is_view = std::ranges::enable_view<T> || std::is_same_v<T, std::string_view>;

template <class F>
inline constexpr bool is_function_pointer = std::is_pointer_v<F>&& std::is_function_v<std::remove_pointer_t<F>>;

template <class T>
inline constexpr bool is_std_function = false;
template <class Signature>
inline constexpr bool is_std_function<std::function<Signature>> = true;

template <class T>
inline constexpr bool is_address = (std::is_pointer_v<T> && !is_function_pointer<T>) || is_view<T>;

/// Whether T is a container of pointers or views.
template <class T>
inline constexpr bool holds_addresses = false;
template <class T>
  requires(std::ranges::range<T> && !is_view<T> && !std::is_same_v<std::ranges::range_value_t<T>, T>)
inline constexpr bool holds_addresses<T> = is_address<std::ranges::range_value_t<T>>;

template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

/// Whether T is an aggregate that is sent member by member, because it does not define its own serialization.
template <class T>
inline constexpr bool is_plain_struct = false;
template <class T>
  requires(std::is_class_v<T>&& std::is_aggregate_v<T> && !is_std_array<T>)
inline constexpr bool is_plain_struct<T> = [] {
  if constexpr (has_own_serialize<T>()) {
    return false;
  } else {
    return is_reflectable<T>();
  }
}();

// ---- types that are sent as bytes

template <class T>
consteval bool has_plain_bytes();

template <class... M>
consteval bool have_plain_bytes(type_list<M...>) {
  return (has_plain_bytes<std::remove_cv_t<M>>() && ... && true);
}

template <class T>
consteval bool has_plain_bytes() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || is_int128<T> || is_complex_number<T>) {
    return true;
  } else if constexpr (!std::is_trivially_copyable_v<T> || std::is_pointer_v<T> || std::ranges::enable_view<T>) {
    return false;
  } else if constexpr (boost::serialization::is_bitwise_serializable<T>::value) {
    return true;
  } else if constexpr (std::is_array_v<T>) {
    return has_plain_bytes<std::remove_cv_t<std::remove_all_extents_t<T>>>();
  } else if constexpr (!std::is_default_constructible_v<T> || !std::is_copy_assignable_v<T>) {
    return false;  // a member is const
  } else if constexpr (is_std_array<T>) {
    return has_plain_bytes<typename T::value_type>();
  } else if constexpr (is_plain_struct<T>) {
    return have_plain_bytes(member_types_t<T>{});
  } else {
    return false;
  }
}

/// A type that is sent as its bytes: numbers, enumerations, types that the user declares bitwise to Boost, and arrays and plain
/// structs of these.
template <class T>
concept bitwise = has_plain_bytes<T>();

// ---- types that are sent by rankpool's codec

/// The types that a type consists of, if the codec encodes it itself. Specialised here for types of the standard library.
template <class T>
struct components {
  static constexpr bool known = false;
};
template <class... T>
struct consists_of {
  static constexpr bool known = true;
  using types = type_list<T...>;
};
template <>
struct components<std::string> : consists_of<> {};
template <>
struct components<mpz_class> : consists_of<> {};
template <>
struct components<std::monostate> : consists_of<> {};
template <class Rep, class Period>
struct components<std::chrono::duration<Rep, Period>> : consists_of<Rep> {};
template <class T>
struct components<std::vector<T>> : consists_of<T> {};
template <>
struct components<std::vector<bool>> {  // sent through Boost
  static constexpr bool known = false;
};
template <class T, std::size_t N>
struct components<std::array<T, N>> : consists_of<T> {};
template <class A, class B>
struct components<std::pair<A, B>> : consists_of<A, B> {};
template <class... T>
struct components<std::tuple<T...>> : consists_of<T...> {};
template <class T>
struct components<std::deque<T>> : consists_of<T> {};
template <class T>
struct components<std::list<T>> : consists_of<T> {};
template <class K, class Order>
struct components<std::set<K, Order>> : consists_of<K> {};
template <class K, class Order>
struct components<std::multiset<K, Order>> : consists_of<K> {};
template <class K, class Hash, class Equal>
struct components<std::unordered_set<K, Hash, Equal>> : consists_of<K> {};
template <class K, class Hash, class Equal>
struct components<std::unordered_multiset<K, Hash, Equal>> : consists_of<K> {};
template <class K, class V, class Order>
struct components<std::map<K, V, Order>> : consists_of<K, V> {};
template <class K, class V, class Order>
struct components<std::multimap<K, V, Order>> : consists_of<K, V> {};
template <class K, class V, class Hash, class Equal>
struct components<std::unordered_map<K, V, Hash, Equal>> : consists_of<K, V> {};
template <class K, class V, class Hash, class Equal>
struct components<std::unordered_multimap<K, V, Hash, Equal>> : consists_of<K, V> {};
template <class T>
struct components<std::optional<T>> : consists_of<T> {};
template <class T>
struct components<std::unique_ptr<T>> : consists_of<T> {};  // Boost cannot send pointers to numbers
template <class... T>
struct components<std::variant<T...>> : consists_of<T...> {};
template <class T>
  requires is_function_pointer<T>
struct components<T> : consists_of<> {
};
template <class T>
  requires(std::is_array_v<T>)
struct components<T> : consists_of<std::remove_all_extents_t<T>> {};
template <class T>
  requires(is_plain_struct<T>)
struct components<T> : consists_of<> {
  using types = member_types_t<T>;
};

template <class T, class... Outer>
consteval bool is_native_within();

template <class T, class... Others>
inline constexpr bool is_one_of = (std::is_same_v<T, Others> || ...);

template <class... M, class... Outer>
consteval bool are_native_within(type_list<M...>, type_list<Outer...>) {
  return ([] {
    if constexpr (is_one_of<std::remove_cv_t<M>, Outer...>) {
      return true;
    } else {
      return is_native_within<std::remove_cv_t<M>, Outer...>();
    }
  }() && ... &&
          true);
}

template <class T, class... Outer>
consteval bool is_native_within() {
  if constexpr (bitwise<T>) {
    return true;
  } else if constexpr (components<T>::known) {
    return are_native_within(typename components<T>::types{}, type_list<T, Outer...>{});
  } else {
    return false;
  }
}

/// Whether the codec encodes T and all types that it consists of itself.
template <class T>
struct is_native : std::bool_constant<is_native_within<T>()> {};

// ---- types that cannot be sent

/// Why a type cannot be sent.
enum class obstacle {
  none,
  address,            ///< a pointer, reference or view
  std_function,       ///< the type of its content is unknown
  pointer_to_number,  ///< Boost sends a std::shared_ptr to a class only
  no_serialize,       ///< a class that is not a plain struct and has no serialize
};

/// The result of examining a type: why it cannot be sent, and the first part of it that cannot.
template <obstacle Kind, class Culprit = void>
struct finding {
  static constexpr obstacle kind = Kind;
  using culprit = Culprit;
};

template <class T>
inline constexpr bool is_smart_pointer = false;
template <class T>
inline constexpr bool is_smart_pointer<std::shared_ptr<T>> = true;
template <class T>
inline constexpr bool is_smart_pointer<std::weak_ptr<T>> = true;
template <class T>
inline constexpr bool is_smart_pointer<std::unique_ptr<T>> = true;

template <class T, class... Outer>
constexpr auto find_obstacle();

template <class... Outer>
constexpr auto find_obstacle_among(type_list<>, type_list<Outer...>) {
  return finding<obstacle::none>{};
}

template <class First, class... Rest, class... Outer>
constexpr auto find_obstacle_among(type_list<First, Rest...>, type_list<Outer...> outer) {
  if constexpr (!is_one_of<std::remove_cv_t<First>, Outer...>) {
    using found = decltype(find_obstacle<std::remove_cv_t<First>, Outer...>());
    if constexpr (found::kind != obstacle::none) {
      return found{};
    } else {
      return find_obstacle_among(type_list<Rest...>{}, outer);
    }
  } else {
    return find_obstacle_among(type_list<Rest...>{}, outer);
  }
}

template <class T, class... Outer>
constexpr auto find_obstacle() {
  using outer = type_list<T, Outer...>;
  if constexpr (is_address<T> || std::is_reference_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>) {
    return finding<obstacle::address, T>{};
  } else if constexpr (is_std_function<T>) {
    return finding<obstacle::std_function, T>{};
  } else if constexpr (bitwise<T>) {
    return finding<obstacle::none>{};
  } else if constexpr (is_smart_pointer<T>) {
    using element = std::remove_cv_t<typename T::element_type>;
    if constexpr (std::is_polymorphic_v<element>) {  // the object may have a derived class
      return finding<obstacle::none>{};
    } else if constexpr (boost::serialization::implementation_level<element>::value == boost::serialization::primitive_type &&
                         !is_native<T>::value) {
      return finding<obstacle::pointer_to_number, T>{};
    } else {
      return find_obstacle_among(type_list<element>{}, outer{});
    }
  } else if constexpr (components<T>::known) {
    return find_obstacle_among(typename components<T>::types{}, outer{});
  } else if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
    return finding<obstacle::no_serialize, T>{};
  } else if constexpr (has_member_serialize<T>()) {
    return finding<obstacle::none>{};
  } else if constexpr (has_own_serialize<T>()) {
    if constexpr (!std::ranges::range<T>) {
      return finding<obstacle::none>{};
    } else {
      return find_obstacle_among(type_list<std::ranges::range_value_t<T>>{}, outer{});
    }
  } else {
    return finding<obstacle::no_serialize, T>{};
  }
}

template <class T>
using obstacle_of = decltype(find_obstacle<T>());

/// Whether T cannot be sent. A static_assert in callable.hpp reports it, so the codec reports no further error.
template <class T>
inline constexpr bool is_unsendable = obstacle_of<T>::kind != obstacle::none;

}  // namespace rankpool::detail
