// Which callables can be tasks, and the encoding of a callable.
//
// A function is encoded as its address within the build, an empty function object as nothing, a partial as its parts, and any other
// object as codec.hpp encodes its type. A callable that cannot be sent causes a compile-time error that names the remedy.
#pragma once

#include <rankpool/detail/codec/codec.hpp>

#include <cstddef>
#include <functional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool {

template <class F, class... Bound>
class partial;

namespace detail {

// ---- the signature: parameter types of a function, or of a function object with one call operator

template <class F, class = void>
struct signature {  // generic or overloaded call operator
  static constexpr bool known = false;
};

template <class R, class... A>
struct function_signature {
  static constexpr bool known = true;
  using parameters = type_list<A...>;
};

template <class F>
struct member_signature;
template <class C, class R, class... A>
struct member_signature<R (C::*)(A...)> : function_signature<R, A...> {};
template <class C, class R, class... A>
struct member_signature<R (C::*)(A...) const> : function_signature<R, A...> {};
template <class C, class R, class... A>
struct member_signature<R (C::*)(A...) noexcept> : function_signature<R, A...> {};
template <class C, class R, class... A>
struct member_signature<R (C::*)(A...) const noexcept> : function_signature<R, A...> {};

template <class R, class... A>
struct signature<R (*)(A...)> : function_signature<R, A...> {};
template <class R, class... A>
struct signature<R (*)(A...) noexcept> : function_signature<R, A...> {};
template <class F>
struct signature<F, std::void_t<decltype(&F::operator())>> : member_signature<decltype(&F::operator())> {};

// ---- classification of types

template <class T>
inline constexpr bool is_partial = false;
template <class F, class... Bound>
inline constexpr bool is_partial<partial<F, Bound...>> = true;

/// Returns the name of T as the compiler writes it.
template <class T>
consteval auto spelling() {  // auto, because with std::string_view GCC appends that alias to the name
  std::string_view name = __PRETTY_FUNCTION__;
  name.remove_prefix(name.find("T = ") + 4);
  return name.substr(0, name.find_last_not_of(']') + 1);
}

// No type trait identifies closures and the results of std::bind_front, so their names are examined. GCC names a closure
// `f()::<lambda(int)>`, and Clang names it `(lambda at f.cpp:1:2)`. If a lambda is a template argument of another class, the name
// ends with the bracket of that class.
template <class F>
consteval bool is_closure() {
  constexpr std::string_view name = spelling<F>();
  int depth = 0;
  std::size_t last_part = name.size();
  do {
    --last_part;
    if (name[last_part] == '>' || name[last_part] == ')') ++depth;
    if (name[last_part] == '<' || name[last_part] == '(') --depth;
  } while (depth > 0 && last_part > 0);
  return name.substr(last_part).starts_with("<lambda(") || name.substr(last_part).starts_with("(lambda at ");
}

template <class F>
inline constexpr bool is_capturing_lambda = false;
template <class F>
  requires(std::is_class_v<F> && !std::is_empty_v<F>)
inline constexpr bool is_capturing_lambda<F> = is_closure<F>();

/// Whether F is the result type of std::bind or std::bind_front.
template <class F>
inline constexpr bool is_std_bind = std::is_bind_expression_v<F>;
template <class F>
  requires(std::is_class_v<F> && !std::is_empty_v<F> && !std::is_bind_expression_v<F>)
inline constexpr bool is_std_bind<F> =
    spelling<F>().starts_with("std::_Bind_front<") || spelling<F>().starts_with("std::__bind_front");

// ---- compile-time errors

/// Reports why T cannot be sent. `Culprit`: the part of T that cannot.
template <class T, obstacle Kind, class Culprit>
consteval bool check_obstacle() {
  static_assert(
      Kind != obstacle::address,
      "rankpool: a struct or container with a raw pointer, a reference or a view (std::span, std::string_view) in it cannot "
      "be sent to another process, because the memory that it refers to stays here: use a value, a std::vector, a "
      "std::string, a std::unique_ptr or a std::shared_ptr there, or give the struct a `serialize` member");
  static_assert(
      Kind != obstacle::std_function,
      "rankpool: a struct or container with a std::function in it cannot be sent to another process: use a function pointer "
      "or the function object's own type there");
  static_assert(Kind != obstacle::pointer_to_number,
                "rankpool: a std::shared_ptr to a number or a std::string cannot be sent to another process, because Boost follows "
                "shared pointers to classes only: put the value into a struct, or use a std::unique_ptr");
  static_assert(
      Kind != obstacle::no_serialize,
      "rankpool: this type cannot be sent to another process: make it a plain struct (public members that can be sent, at "
      "most 32, no bit-fields, no constructors, no base classes, no virtual functions), or give it a `serialize` member "
      "for Boost.Serialization");
  return true;
}

/// Reports types that codec cannot encode. Callers report pointers, views and std::function themselves.
template <class T>
consteval bool check_sendable() {
  if constexpr (!is_address<T> && !holds_addresses<T> && !is_std_function<T>) {
    using found = obstacle_of<T>;
    return check_obstacle<T, found::kind, typename found::culprit>();
  }
  return true;
}

template <class P>
consteval bool check_parameter() {
  using T = std::remove_cvref_t<P>;
  static_assert(!(std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>),
                "rankpool: a task cannot take a mutable reference, because the worker has its own copy of every argument: "
                "take the parameter by value or const& and return what has changed");
  static_assert(!is_view<T>,
                "rankpool: a task cannot take a view (std::span, std::string_view, a range adaptor), because the memory that "
                "it looks at stays in another process: take a std::vector or std::string by value or const& instead");
  static_assert(!std::is_pointer_v<T> || is_function_pointer<T>,
                "rankpool: a task cannot take a raw pointer, because addresses mean nothing in another process: pass the value "
                "itself, a std::vector for an array, a std::string for text, or a std::unique_ptr or std::shared_ptr");
  static_assert(!holds_addresses<T>,
                "rankpool: a task cannot take a container of raw pointers or views, because what they point to stays in another "
                "process: take a container of the values, of std::unique_ptr or of std::shared_ptr");
  static_assert(!is_std_function<T>,
                "rankpool: a std::function cannot be sent to another process: take the function's own type, or a template "
                "parameter, and give it a plain function, a captureless lambda or rankpool::partial(f, args...)");
  return check_sendable<T>();
}

template <class... A>
consteval bool check_parameters(type_list<A...>) {
  return (check_parameter<A>() && ... && true);
}

template <class R>
consteval bool check_result() {
  using T = std::remove_cvref_t<R>;
  static_assert(!std::is_pointer_v<T> || is_function_pointer<T>,
                "rankpool: a task cannot return a raw pointer, because addresses mean nothing in another process: return the "
                "value itself, or a std::unique_ptr or std::shared_ptr");
  static_assert(!is_view<T>,
                "rankpool: a task cannot return a view (std::span, std::string_view, a range adaptor), because the memory that "
                "it looks at stays in another process: return a std::vector or std::string instead");
  static_assert(!holds_addresses<T>,
                "rankpool: a task cannot return a container of raw pointers or views, because what they point to stays in another "
                "process: return a container of the values, of std::unique_ptr or of std::shared_ptr");
  static_assert(!is_std_function<T>,
                "rankpool: a task cannot return a std::function, because it cannot be sent to another process");
  if constexpr (!std::is_void_v<T>) check_sendable<T>();
  return true;
}

template <class F>
consteval bool check_callable() {
  static_assert(!is_capturing_lambda<F>,
                "rankpool: a lambda with captures cannot be sent to another process: pass the captured value as an argument, "
                "or use rankpool::partial(f, args...), which carries bound arguments along");
  static_assert(!is_std_function<F>,
                "rankpool: a std::function cannot be sent to another process: give the function itself, a captureless lambda or "
                "rankpool::partial(f, args...)");
  static_assert(!std::is_member_pointer_v<F>,
                "rankpool: a pointer to member cannot be a task: use a captureless lambda that calls it on its argument");
  static_assert(!is_std_bind<F>,
                "rankpool: what std::bind or std::bind_front returns cannot be sent to another process: use "
                "rankpool::partial(f, args...), which binds the first arguments and carries them along");
  if constexpr (std::is_class_v<F> && !std::is_empty_v<F> && !is_partial<F> && !is_capturing_lambda<F> && !is_std_bind<F>) {
    check_sendable<F>();
  }
  if constexpr (signature<F>::known) check_parameters(typename signature<F>::parameters{});
  return true;
}

// ---- the type in which an argument is stored and sent

template <std::size_t I, class T>
struct packed_value {
  explicit packed_value(byte_reader& in) : value(detail::decode<T>(in)) {}
  template <class From>
  packed_value(std::in_place_t, From&& from) : value(std::forward<From>(from)) {}
  T value;
};

template <class Indices, class... T>
struct packed_values;
template <std::size_t... I, class... T>
struct packed_values<std::index_sequence<I...>, T...> : packed_value<I, T>... {
  explicit packed_values([[maybe_unused]] byte_reader& in) : packed_value<I, T>(in)... {}
  template <class... From>
    requires(sizeof...(From) == sizeof...(T))
  explicit packed_values(std::in_place_t, From&&... from) : packed_value<I, T>(std::in_place, std::forward<From>(from))... {}
  template <class F>
  decltype(auto) apply(F&& f) & {
    return std::forward<F>(f)(static_cast<packed_value<I, T>&>(*this).value...);
  }
  template <class F>
  decltype(auto) apply(F&& f) const& {
    return std::forward<F>(f)(static_cast<const packed_value<I, T>&>(*this).value...);
  }
};

/// The arguments of one call. Unlike a std::tuple, it decodes each value in place, from first to last, so a large value is never
/// moved.
template <class... T>
struct argument_pack : packed_values<std::index_sequence_for<T...>, T...> {
  using packed_values<std::index_sequence_for<T...>, T...>::packed_values;
  template <std::size_t I>
  using type = std::tuple_element_t<I, std::tuple<T...>>;
};

template <class... T>
struct components<argument_pack<T...>> : consists_of<T...> {};

template <class Argument>
struct plain_stored {
  using decayed = std::decay_t<Argument>;
  using type = std::conditional_t<std::is_same_v<decayed, const char*> || std::is_same_v<decayed, char*>, std::string, decayed>;
};

template <class F, class Arguments>
struct stored_arguments;

template <class F, class... A>
  requires(!signature<F>::known)
struct stored_arguments<F, type_list<A...>> {
  using type = argument_pack<typename plain_stored<A>::type...>;
};

template <class Parameters, class Arguments>
struct match_arguments;
template <class... P, class... A>
struct match_arguments<type_list<P...>, type_list<A...>> {
  static_assert(sizeof...(P) == sizeof...(A),
                "rankpool: the number of arguments differs from the number of parameters of the task");
  using type = argument_pack<std::remove_cvref_t<P>...>;
};

template <class F, class... A>
  requires(signature<F>::known)
struct stored_arguments<F, type_list<A...>> {
  using type = typename match_arguments<typename signature<F>::parameters, type_list<A...>>::type;
};

/// The argument_pack of a task that calls F with arguments of types A.
template <class F, class... A>
using stored_arguments_t = typename stored_arguments<F, type_list<A...>>::type;

template <class F, class Stored>
struct task_result;
template <class F, class... S>
struct task_result<F, argument_pack<S...>> {
  static_assert((check_parameter<S>() && ... && true));
  static_assert(std::is_invocable_v<F&, S...>,
                "rankpool: the task cannot be called with these arguments (taken by value or const&)");
  using raw = std::invoke_result_t<F&, S...>;
  static_assert(check_result<raw>());
  using type = std::remove_cvref_t<raw>;
};

template <class F, class Stored>
using task_result_t = typename task_result<F, Stored>::type;

/// Writes `argument`, converted to type Stored.
template <class Stored, class Argument>
void encode_as(byte_writer& out, Argument&& argument) {
  if constexpr (std::is_same_v<Argument, Stored>) {  // an rvalue
    detail::encode_moved(out, std::move(argument));
  } else if constexpr (std::is_same_v<std::remove_cvref_t<Argument>, Stored>) {
    detail::encode(out, argument);
  } else {
    static_assert(std::is_constructible_v<Stored, Argument>,
                  "rankpool: an argument cannot be converted to the type that the task takes in its place");
    const boxed_if_large<Stored> converted([&] { return static_cast<Stored>(std::forward<Argument>(argument)); });
    detail::encode(out, *converted);
  }
}

// ---- the callable itself

template <class F>
struct callable_codec {
  static void encode(byte_writer& out, const F& f) {
    if constexpr (is_partial<F>) {
      f.encode(out);
    } else if constexpr (is_function_pointer<F>) {
      out.put(locate_function(f));
    } else if constexpr (!std::is_empty_v<F> && !is_capturing_lambda<F>) {  // a capturing lambda is reported elsewhere
      detail::encode(out, f);
    }
  }

  static F decode(byte_reader& in) {
    if constexpr (is_partial<F>) {
      return F::decode(in);
    } else if constexpr (is_capturing_lambda<F>) {
      throw serialization_error("a lambda with captures cannot be sent to another process");
    } else if constexpr (!std::is_empty_v<F>) {
      return detail::decode<F>(in);
    } else if constexpr (std::is_default_constructible_v<F>) {
      return F{};
    } else {
      static_assert(std::is_trivially_copyable_v<F>, "rankpool: an empty function object must be default constructible");
      struct nothing {};
      return std::bit_cast<F>(nothing{});
    }
  }

  /// Returns a number that distinguishes callables of the same type: the address of the function if F is a function pointer or
  /// binds arguments to one, otherwise 0.
  static std::uintptr_t identity(const F& f) {
    if constexpr (is_function_pointer<F>) {
      return reinterpret_cast<std::uintptr_t>(f);
    } else if constexpr (is_partial<F>) {
      return f.identity();
    } else {
      return 0;
    }
  }
};

}  // namespace detail
}  // namespace rankpool
