// future<R>: a copyable handle on one task, as Python's Future is.
//
// It never waits for ever: whatever ends the pool completes it.
#pragma once

#include <rankpool/detail/future_state.hpp>
#include <rankpool/errors.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <type_traits>
#include <utility>

namespace rankpool {

namespace detail {
struct future_access;
}

template <class R>
class future {
 public:
  using value_type = R;

  future() = default;

  /// The task's result, decoded on this thread and kept.
  /// Throws what the task threw; cancelled_error; timeout_error; serialization_error if the result cannot be read.
  /// Blocks until the task is over.
  std::add_lvalue_reference_t<const R> result(std::optional<std::chrono::nanoseconds> timeout = std::nullopt) const& {
    state().await_value(timeout);
    if constexpr (!std::is_void_v<R>) {
      return state().value();
    } else {
      return;
    }
  }

  /// The same, as the caller's own.
  R result(std::optional<std::chrono::nanoseconds> timeout = std::nullopt) && {
    state().await_value(timeout);
    if constexpr (!std::is_void_v<R>) {
      const auto mine = std::move(state_);
      return mine->take(last_reference(*mine));
    }
  }

  /// What the task threw, or null. Throws cancelled_error, timeout_error. Blocks until the task is over.
  std::exception_ptr exception(std::optional<std::chrono::nanoseconds> timeout = std::nullopt) const {
    return state().await_exception(timeout);
  }

  /// Cancels the task unless a worker has it already; true if it is cancelled.
  bool cancel() const { return state().cancel(); }
  bool cancelled() const { return state().poll_done() && state().state() == detail::task_state::cancelled; }
  /// Whether a worker has the task.
  bool running() const { return state().state() == detail::task_state::running; }
  /// Whether the task is over: finished, failed or cancelled.
  bool done() const { return state().poll_done(); }

  /// Calls f(future<R>) once the task is over, at once if it is; in order of registration, on the thread that
  /// completes it. What f throws is logged and ignored. In an inline cluster what is queued runs within this call.
  template <class Callback>
  void add_done_callback(Callback&& f) const {
    auto kept = std::make_shared<std::decay_t<Callback>>(std::forward<Callback>(f));  // may be move-only
    state().add_done_callback([kept](const detail::shared_job<detail::future_state_base>& s) {
      (*kept)(future(boost::static_pointer_cast<detail::future_state<R>>(s)));
    });
  }

  std::uint64_t id() const { return state().id(); }
  bool valid() const noexcept { return state_ != nullptr; }

  friend bool operator==(const future& a, const future& b) noexcept { return a.state_ == b.state_; }

  friend std::ostream& operator<<(std::ostream& out, const future& f) {
    if (!f.valid()) return out << "<future empty>";
    return out << "<future " << f.id() << ' ' << detail::to_string(f.state_->state()) << '>';
  }

 private:
  friend struct detail::future_access;
  explicit future(detail::shared_job<detail::future_state<R>> state) : state_(std::move(state)) {}

  detail::future_state<R>& state() const {
    if (state_ == nullptr) throw error("this future is empty: it was moved from or never came from submit()");
    return *state_;
  }

  detail::shared_job<detail::future_state<R>> state_;
};

namespace detail {

struct future_access {
  template <class R>
  static future<R> make(shared_job<future_state<R>> state) {
    return future<R>(std::move(state));
  }
  template <class R>
  static shared_job<future_state_base> state(const future<R>& f) {
    (void)f.state();
    return f.state_;
  }
};

}  // namespace detail
}  // namespace rankpool
