// What may be a task: the checks that name the remedy, and how a callable travels.
//
// A plain function goes as its place in the build, an empty function object as nothing at all, a partial as
// its parts, any other object through Boost.Serialization. What cannot work is refused while compiling.
#pragma once

#include <rankpool/detail/codec.hpp>

#include <cstddef>
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

// ---- signature: the parameter types of a function or of a function object with one call operator

template <class... T>
struct type_list {
  static constexpr std::size_t size = sizeof...(T);
};

template <class F, class = void>
struct signature {  // generic or overloaded: known only by trying
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

// ---- what a type is

template <class T>
inline constexpr bool is_partial = false;
template <class F, class... Bound>
inline constexpr bool is_partial<partial<F, Bound...>> = true;

// Closure types have no trait; the compilers spell them in the function's name.
template <class F>
consteval bool is_closure() {
  const std::string_view name = __PRETTY_FUNCTION__;
  const std::size_t last = name.find_last_not_of(']');
  if (const auto gcc = name.rfind("<lambda("); gcc != std::string_view::npos) {
    return name.find('>', gcc) != std::string_view::npos && name.substr(0, last + 1).ends_with('>') &&
           name.find("F = ") < gcc && name.substr(name.find("F = "), gcc - name.find("F = ")).find('<') == std::string_view::npos;
  }
  return name.find("F = (lambda at ") != std::string_view::npos;
}

template <class F>
inline constexpr bool is_capturing_lambda =
    std::is_class_v<F> && !std::is_empty_v<F> &&
    (is_closure<F>() || (!std::is_default_constructible_v<F> && !std::is_copy_assignable_v<F> && !std::is_move_assignable_v<F> &&
                         std::is_invocable_v<decltype([]<class T>(const T&) {}), F>));

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
  return true;
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
  if constexpr (signature<F>::known) check_parameters(typename signature<F>::parameters{});
  return true;
}

// ---- the type in which an argument is kept and sent

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
  using type = std::tuple<typename plain_stored<A>::type...>;
};

template <class Parameters, class Arguments>
struct match_arguments;
template <class... P, class... A>
struct match_arguments<type_list<P...>, type_list<A...>> {
  static_assert(sizeof...(P) == sizeof...(A), "rankpool: the task is given another number of arguments than it takes");
  using type = std::tuple<std::remove_cvref_t<P>...>;
};

template <class F, class... A>
  requires(signature<F>::known)
struct stored_arguments<F, type_list<A...>> {
  using type = typename match_arguments<typename signature<F>::parameters, type_list<A...>>::type;
};

/// std::tuple of what a task of callable F given arguments A carries.
template <class F, class... A>
using stored_arguments_t = typename stored_arguments<F, type_list<A...>>::type;

template <class F, class Stored>
struct task_result;
template <class F, class... S>
struct task_result<F, std::tuple<S...>> {
  static_assert((check_parameter<S>() && ... && true));
  static_assert(std::is_invocable_v<F&, S...>,
                "rankpool: the task cannot be called with these arguments (taken by value or const&)");
  using raw = std::invoke_result_t<F&, S...>;
  static_assert(check_result<raw>());
  using type = std::remove_cvref_t<raw>;
};

template <class F, class Stored>
using task_result_t = typename task_result<F, Stored>::type;

/// Writes `argument` as the type under which it is kept.
template <class Stored, class Argument>
void encode_as(byte_writer& out, Argument&& argument) {
  if constexpr (std::is_same_v<Argument, Stored>) {  // an rvalue
    detail::encode_moved(out, std::move(argument));
  } else if constexpr (std::is_same_v<std::remove_cvref_t<Argument>, Stored>) {
    detail::encode(out, argument);
  } else {
    static_assert(std::is_constructible_v<Stored, Argument>,
                  "rankpool: an argument cannot be converted to the type that the task takes in its place");
    const Stored converted = static_cast<Stored>(std::forward<Argument>(argument));
    detail::encode(out, converted);
  }
}

// ---- the callable itself

template <class F>
struct callable_codec {
  static void encode(byte_writer& out, const F& f) {
    if constexpr (is_partial<F>) {
      f.encode(out);
    } else if constexpr (!std::is_empty_v<F> && !is_capturing_lambda<F>) {  // that one has its sentence already
      detail::encode(out, f);
    }
  }

  static F decode(byte_reader& in) {
    if constexpr (is_partial<F>) {
      return F::decode(in);
    } else if constexpr (is_capturing_lambda<F>) {
      throw serialization_error("a lambda with captures cannot travel");
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

  // Tells tasks of one kind from another where the type alone does not: which function a pointer points to.
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
