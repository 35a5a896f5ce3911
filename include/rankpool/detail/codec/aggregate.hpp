// Reflection of aggregates: the number and types of their members, and access to them in declaration order.
//
// C++20 has no reflection. The number of members is the largest number of `{}` that initialises the type, because each `{}`
// initialises exactly one member, also a C array. Structured bindings then give access to the members.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace rankpool::detail {

/// A list of types.
template <class... T>
struct type_list {
  static constexpr std::size_t size = sizeof...(T);
};

/// The largest number of members for which members_of is specialised.
inline constexpr std::size_t max_members = 32;

/// Converts to any type except `T`.
template <class T>
struct any_but {
  template <class Member>
    requires(!std::is_same_v<Member, T>)
  operator Member() const;  // NOLINT(google-explicit-constructor)
};

/// Converts to the base classes of `T`.
template <class T>
struct any_base_of {
  template <class Base>
    requires(!std::is_same_v<Base, T> && std::is_base_of_v<Base, T>)
  operator Base() const;  // NOLINT(google-explicit-constructor)
};

template <class... M>
type_list<M...> types_of(M&...) {
  return {};
}

/// Access to an aggregate of N members. `fits`: N times `{}` initialise T. `has_more`: T has a further member, which `{}` cannot
/// initialise.
template <std::size_t N>
struct members_of {
  static constexpr bool is_defined = false;
};

template <>
struct members_of<0> {
  static constexpr bool is_defined = true;
  template <class T>
  static constexpr bool fits = requires {
    T{};
  };
  template <class T>
  static constexpr bool has_more = requires {
    T{any_but<T>{}};
  };
  template <class T, class F>
  static decltype(auto) visit(T&, F&& f) {
    return f();
  }
  template <class T>
  static type_list<> types(T&) {
    return {};
  }
};

// The list of types is void if a member is a bit-field, because no reference can be bound to a bit-field. Clang before 16 cannot
// evaluate this condition, and reports its own error for a bit-field.
#if defined(__clang__) && __clang_major__ < 16
#define RANKPOOL_DETAIL_BINDS(...) true
#else
#define RANKPOOL_DETAIL_BINDS(...) \
  requires { types_of(__VA_ARGS__); }
#endif
#define RANKPOOL_DETAIL_LIST(...) __VA_ARGS__
#define RANKPOOL_DETAIL_MEMBERS(n, names, braces)    \
  template <>                                        \
  struct members_of<n> {                             \
    static constexpr bool is_defined = true;         \
    template <class T>                               \
    static constexpr bool fits = requires {          \
      T{RANKPOOL_DETAIL_LIST braces};                \
    };                                               \
    template <class T>                               \
    static constexpr bool has_more = requires {      \
      T{RANKPOOL_DETAIL_LIST braces, any_but<T>{}};  \
    };                                               \
    template <class T, class F>                      \
    static decltype(auto) visit(T& value, F&& f) {   \
      auto& [RANKPOOL_DETAIL_LIST names] = value;    \
      return f(RANKPOOL_DETAIL_LIST names);          \
    }                                                \
    template <class T>                               \
    static auto types(T& value) {                    \
      auto& [RANKPOOL_DETAIL_LIST names] = value;    \
      if constexpr (RANKPOOL_DETAIL_BINDS names) {   \
        return types_of(RANKPOOL_DETAIL_LIST names); \
      }                                              \
    }                                                \
  };
// clang-format off
RANKPOOL_DETAIL_MEMBERS(1, (m1), ({}))
RANKPOOL_DETAIL_MEMBERS(2, (m1, m2), ({}, {}))
RANKPOOL_DETAIL_MEMBERS(3, (m1, m2, m3), ({}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(4, (m1, m2, m3, m4), ({}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(5, (m1, m2, m3, m4, m5), ({}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(6, (m1, m2, m3, m4, m5, m6), ({}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(7, (m1, m2, m3, m4, m5, m6, m7), ({}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(8, (m1, m2, m3, m4, m5, m6, m7, m8), ({}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(9, (m1, m2, m3, m4, m5, m6, m7, m8, m9), ({}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(10, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(11, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(12, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(13, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(14, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(15, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(16, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(17, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(18, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(19, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(20, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(21, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(22, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(23, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(24, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(25, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(26, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(27, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(28, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(29, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(30, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(31, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
RANKPOOL_DETAIL_MEMBERS(32, (m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32), ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}))
// clang-format on
#undef RANKPOOL_DETAIL_MEMBERS
#undef RANKPOOL_DETAIL_LIST
#undef RANKPOOL_DETAIL_BINDS

/// Returns the number of members, at most `max_members`.
template <class T, std::size_t N = 0>
consteval std::size_t count_members() {
  if constexpr (!members_of<N + 1>::is_defined) {
    return N;
  } else if constexpr (members_of<N + 1>::template fits<T>) {
    return count_members<T, N + 1>();
  } else {
    return N;
  }
}

template <class T>
inline constexpr std::size_t member_count = count_members<T>();

/// Calls f(member...) with the members of `value`. Requires: is_reflectable<T>().
template <class T, class F>
decltype(auto) visit_members(T& value, F&& f) {
  return members_of<member_count<std::remove_const_t<T>>>::visit(value, f);
}

template <class T>
struct member_types {
  using type = decltype(members_of<member_count<T>>::types(std::declval<T&>()));
};

/// The types of the members as declared, including arrays and const types.
template <class T>
using member_types_t = typename member_types<T>::type;

/// Returns whether the members of T can be visited. T must be an aggregate class with at most `max_members` members, and without
/// base classes, bit-fields and members that need an initialiser.
template <class T>
consteval bool is_reflectable() {
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T>) {
    return false;
  } else if constexpr (!members_of<0>::fits<T> || requires { T{any_base_of<T>{}}; }) {
    return false;
  } else if constexpr (members_of<member_count<T>>::template has_more<T>) {
    return false;
  } else {
    return !std::is_void_v<member_types_t<T>>;
  }
}

}  // namespace rankpool::detail
