// future<R>: a copyable handle on one task, like Python's Future.
//
// Every future completes: if the pool ends, pending futures fail with an exception that says why.
#pragma once

#include <rankpool/detail/client/future_state.hpp>
#include <rankpool/errors.hpp>
#include <rankpool/options.hpp>

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

/// A handle on one task, whose function returns R. Copies refer to the same task.
/// A timeout is a duration from the call on; none means no limit, and 0 means that the call does not wait.
/// Throws: rankpool::error if the future is empty, from every member except valid(), comparison and printing.
/// Thread safety: threads of rank 0 may call all members concurrently. Threads that assign to a future need copies of their own.
template <class R>
class future {
 public:
  using value_type = R;

  /// Constructs an empty future, which refers to no task.
  future() = default;

  /// Returns the result of the task. The calling thread decodes it once; later calls return the same object.
  /// Throws: what the task threw; cancelled_error; timeout_error; stopped_error; broken_pool; pool_closed; serialization_error if
  /// an argument or the result cannot be serialised; journal_error.
  /// Blocks: until the task is finished, failed or cancelled.
  /// Lifetime: the reference is valid as long as any copy of this future.
  std::add_lvalue_reference_t<const R> result(std::optional<std::chrono::nanoseconds> timeout = std::nullopt) const& {
    state().await_value(timeout);
    if constexpr (!std::is_void_v<R>) {
      return state().value();
    } else {
      return;
    }
  }

  /// Returns the result by value; if this is the last copy of the future, the result is moved. The future is empty afterwards,
  /// unless R is void. If the task failed or was cancelled, or the timeout expires, the future does not change.
  /// Throws: as above.
  /// Blocks: as above.
  R result(std::optional<std::chrono::nanoseconds> timeout = std::nullopt) && {
    state().await_value(timeout);
    if constexpr (!std::is_void_v<R>) {
      const auto mine = std::move(state_);
      return mine->take(last_reference(*mine));
    }
  }

  /// Returns the exception with which the task failed, or null if result() returns a value. Each call returns the same exception.
  /// Throws: cancelled_error, timeout_error.
  /// Blocks: until the task is finished, failed or cancelled.
  std::exception_ptr exception(std::optional<std::chrono::nanoseconds> timeout = std::nullopt) const {
    return state().await_exception(timeout);
  }

  /// Cancels the task if it was not sent to a worker yet. A prefetched task cannot be cancelled. Returns whether the task is
  /// cancelled.
  bool cancel() const { return state().cancel(); }

  /// Does the same. With cancel_options::force, it also cancels a prefetched or running task, and kills the process of a running
  /// one. Returns true at once, unless the task is done; the future is cancelled when the worker has confirmed that. A task that
  /// finishes first keeps its result.
  /// Throws: std::invalid_argument for cancel_options::force without isolation::process.
  bool cancel(cancel_options options) const { return options.force ? state().abort() : state().cancel(); }

  /// Returns whether the task was cancelled.
  bool cancelled() const { return state().poll_done() && state().state() == detail::task_state::cancelled; }

  /// Returns whether a worker has the task: it runs or is prefetched. False again once the worker has returned it unstarted.
  bool running() const { return state().state() == detail::task_state::running; }

  /// Returns whether the task is finished, failed or cancelled. In an inline cluster, repeated calls run the task.
  bool done() const { return state().poll_done(); }

  /// Calls f(future<R>) once the task is finished, failed or cancelled; at once if it is already. Callbacks run in order of
  /// registration, on the thread that completes the task. An exception that f throws is logged and ignored. In an inline cluster,
  /// this call runs all queued tasks.
  template <class Callback>
  void add_done_callback(Callback&& f) const {
    auto kept = std::make_shared<std::decay_t<Callback>>(std::forward<Callback>(f));  // may be move-only
    state().add_done_callback([kept](const detail::shared_job<detail::future_state_base>& s) {
      (*kept)(future(boost::static_pointer_cast<detail::future_state<R>>(s)));
    });
  }

  /// Returns the number of the task, which is unique in its run and counts from 1.
  std::uint64_t id() const { return state().id(); }

  /// Returns whether this future refers to a task.
  bool valid() const noexcept { return state_ != nullptr; }

  /// Returns whether both futures refer to the same task, or both are empty.
  friend bool operator==(const future& a, const future& b) noexcept { return a.state_ == b.state_; }

  /// Prints id and state, such as `<future 7 running>`. The states are pending, running, finished, failed and cancelled.
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
