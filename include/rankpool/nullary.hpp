// nullary: any callable of the kinds that can be sent to a worker and that takes nothing more.
#pragma once

#include <rankpool/detail/executor_core.hpp>
#include <rankpool/detail/invocation.hpp>
#include <rankpool/partial.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool {

class nullary {
 public:
  /// Nothing to call.
  nullary() = default;

  /// Throws serialization_error if a bound value or member cannot be written.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, nullary> && std::invocable<std::decay_t<F>&>)
  nullary(F&& f) {  // NOLINT(google-explicit-constructor): an option is set by naming the function
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    make_ = [kept = std::make_shared<callable>(std::forward<F>(f))] {
      detail::initializer_call call;
      call.function = &detail::run_procedure<callable>;
      detail::byte_writer out(call.payload, nullptr, &call.kept);
      try {
        detail::callable_codec<callable>::encode(out, *kept);
      } catch (...) {
        detail::rethrow_as_serialization_error("the initializer could not be written");
      }
      return call;
    };
  }

  explicit operator bool() const noexcept { return static_cast<bool>(make_); }

  /// Encoded for a worker; an empty call if there is nothing.
  detail::initializer_call encoded() const { return make_ ? make_() : detail::initializer_call{}; }

 private:
  std::function<detail::initializer_call()> make_;
};

}  // namespace rankpool
