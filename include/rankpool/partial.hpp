// partial(f, args...): a callable with bound first arguments that can be sent to a worker.
//
// It replaces a lambda with captures, which cannot be sent. Python's functools.partial does the same.
#pragma once

#include <rankpool/detail/call/callable.hpp>

#include <type_traits>
#include <utility>

namespace rankpool {

/// Binds the first arguments of `f`: `partial(f, bound...)(further...)` calls `f(bound..., further...)`. The bound arguments are
/// copied or moved into the object, and are sent with it.
template <class F, class... Bound>
class partial {
 public:
  /// Binds `args` to `f`. `partial(f, args...)` deduces the template arguments; text in a `const char*` is kept as a std::string.
  template <class Callable, class... Args>
    requires(sizeof...(Args) == sizeof...(Bound) && !std::is_same_v<std::remove_cvref_t<Callable>, partial>)
  explicit partial(Callable&& f, Args&&... args)
      : f_(std::forward<Callable>(f)), bound_(std::in_place, std::forward<Args>(args)...) {}

  /// Calls f(bound..., further...) and returns its result.
  template <class... Further>
    requires std::is_invocable_v<F&, const Bound&..., Further...>
  decltype(auto) operator()(Further&&... further) {
    return std::as_const(bound_).apply(
        [&](const Bound&... bound) -> decltype(auto) { return f_(bound..., std::forward<Further>(further)...); });
  }

  /// Internal: writes the callable and the bound arguments.
  void encode(detail::byte_writer& out) const {
    static_assert(detail::check_callable<F>());
    static_assert((detail::check_parameter<Bound>() && ... && true));
    detail::callable_codec<F>::encode(out, f_);
    bound_.apply([&](const Bound&... bound) { (detail::encode(out, bound), ...); });
  }

  /// Internal: reads what encode() has written.
  static partial decode(detail::byte_reader& in) { return partial(in); }

  /// Internal: returns a number that identifies the callable within this process.
  std::uintptr_t identity() const { return detail::callable_codec<F>::identity(f_); }

 private:
  explicit partial(detail::byte_reader& in) : f_(detail::callable_codec<F>::decode(in)), bound_(in) {}

  F f_;
  detail::argument_pack<Bound...> bound_;
};

template <class F, class... Args>
partial(F&&, Args&&...) -> partial<std::decay_t<F>, typename detail::plain_stored<Args>::type...>;

}  // namespace rankpool
