// partial(f, args...): a callable with its first arguments bound, which can travel to a worker.
//
// What a lambda's capture is within one process, as Python's functools.partial.
#pragma once

#include <rankpool/detail/callable.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool {

/// f with its first arguments bound. Called with further arguments, it calls f(bound..., further...).
template <class F, class... Bound>
class partial {
 public:
  template <class Callable, class... Args>
    requires(sizeof...(Args) == sizeof...(Bound) && !std::is_same_v<std::remove_cvref_t<Callable>, partial>)
  explicit partial(Callable&& f, Args&&... args) : f_(std::forward<Callable>(f)), bound_(std::forward<Args>(args)...) {}

  template <class... Further>
    requires std::is_invocable_v<F&, const Bound&..., Further...>
  decltype(auto) operator()(Further&&... further) {
    return std::apply(
        [&](const Bound&... bound) -> decltype(auto) { return f_(bound..., std::forward<Further>(further)...); }, bound_);
  }

  void encode(detail::byte_writer& out) const {
    static_assert(detail::check_callable<F>());
    static_assert((detail::check_parameter<Bound>() && ... && true));
    detail::callable_codec<F>::encode(out, f_);
    std::apply([&](const Bound&... bound) { (detail::encode(out, bound), ...); }, bound_);
  }

  static partial decode(detail::byte_reader& in) {
    F f = detail::callable_codec<F>::decode(in);
    std::tuple<Bound...> bound{detail::decode<Bound>(in)...};
    return partial(unpacked{}, std::move(f), std::move(bound));
  }

  std::uintptr_t identity() const { return detail::callable_codec<F>::identity(f_); }

 private:
  struct unpacked {};
  partial(unpacked, F f, std::tuple<Bound...> bound) : f_(std::move(f)), bound_(std::move(bound)) {}

  F f_;
  std::tuple<Bound...> bound_;
};

template <class F, class... Args>
partial(F&&, Args&&...) -> partial<std::decay_t<F>, typename detail::plain_stored<Args>::type...>;

}  // namespace rankpool
