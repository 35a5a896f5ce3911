// nullary: a callable without parameters that can be sent to a worker, such as an initializer.
#pragma once

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/detail/client/executor_core.hpp>
#include <rankpool/partial.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace rankpool {

/// Holds a callable without parameters: a plain function, a captureless lambda, a serialisable function object or a `partial` of
/// these. executor_options::initializer has this type.
class nullary {
 public:
  /// Constructs an empty object: there is nothing to call.
  nullary() = default;

  /// Holds `f`.
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, nullary> && std::invocable<std::decay_t<F>&>)
  nullary(F&& f) {  // NOLINT(google-explicit-constructor): an option is set by naming the function
    using callable = std::decay_t<F>;
    static_assert(detail::check_callable<callable>());
    make_ = [kept = std::make_shared<callable>(std::forward<F>(f))] {
      detail::initializer_call call;
      call.function = detail::locate_function(&detail::run_procedure<callable>);
      detail::byte_writer out(call.payload, nullptr, &call.references);
      try {
        detail::callable_codec<callable>::encode(out, *kept);
      } catch (...) {
        detail::rethrow_as_serialization_error("the initializer could not be written");
      }
      return call;
    };
  }

  /// Returns whether there is something to call.
  explicit operator bool() const noexcept { return static_cast<bool>(make_); }

  /// Internal: returns the call as a worker gets it, or an empty call.
  /// Throws: serialization_error if a bound value or a member cannot be serialised.
  detail::initializer_call encoded() const { return make_ ? make_() : detail::initializer_call{}; }

 private:
  std::function<detail::initializer_call()> make_;
};

}  // namespace rankpool
