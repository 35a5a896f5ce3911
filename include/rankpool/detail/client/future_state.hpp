// The state that the copies of a future share: one task, from its submission to its outcome.
//
// One allocation holds the state, including the encoded arguments of a small task. The result stays encoded until a thread asks
// for it, and that thread decodes it. future_state_base does not depend on the type of the result (src/client/future_state.cpp).
// future_state<R> adds the value.
#pragma once

#include <rankpool/detail/client/executor_core.hpp>
#include <rankpool/detail/client/retry_policy.hpp>
#include <rankpool/detail/codec/codec.hpp>
#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/support/small_mutex.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rankpool::detail {

enum class task_state : std::uint8_t {
  pending,   ///< queued on rank 0; can be cancelled
  requeued,  ///< recalled from a worker before it started, or waits for its next attempt; can be cancelled
  running,   ///< sent to a worker
  ending,    ///< a thread has claimed its completion and is completing it
  finished,
  failed,
  cancelled,
};

/// Returns the name of the state as the program sees it: "pending" also for requeued, "running" also for ending.
const char* to_string(task_state state);

class future_state_base;

/// An observer of futures. Each watched future calls on_done() once, when it is done, while it holds its lock.
class completion_watch {
 public:
  virtual ~completion_watch() = default;
  virtual void on_done(future_state_base& state) = 0;
};

class future_state_base : public job {
 public:
  using callback = std::function<void(const shared_job<future_state_base>&)>;

  future_state_base(std::shared_ptr<executor_core> owner, code_address run, std::uintptr_t kind);

  // ---- job
  std::uint64_t available() final { return settled_state() == task_state::pending ? 1 : 0; }
  bool may_grow() final { return false; }
  bool awaits_retry() final;
  chunk cut(std::uint64_t items) final;
  std::uint64_t task_number(std::uint64_t) const final { return id_; }
  failed_items failures_in(std::uint64_t first, std::uint64_t count, const outcome& result, std::size_t most) const final;
  void on_requeued(std::uint64_t first, std::uint64_t count) final;
  bool is_requeued(std::uint64_t first) const final;
  bool resume(std::uint64_t first) final;
  bool on_outcome(std::uint64_t first, std::uint64_t count, outcome&& result) final;
  void retry(std::uint64_t first) final;
  bool abandon(const std::exception_ptr& why) final;
  void react() final;

  // ---- for the program
  std::uint64_t id() const { return id_; }
  task_state state() const { return state_.load(); }
  bool done() const { return state() >= task_state::finished; }
  /// Returns done(). In an inline cluster, each call after the first drives the pool one step, so that a polling loop ends.
  bool poll_done();
  /// Cancels the task if it has not started. Returns whether it is cancelled.
  bool cancel();
  /// Does the same; if the task is prefetched or running, tells its worker to cancel it. Returns whether it is or will be, unless
  /// it finishes first. Throws: std::invalid_argument if the task is not isolated.
  bool abort();
  /// Waits until the task has finished.
  /// Throws: timeout_error; cancelled_error; the exception of the task.
  void await_value(const timeout& limit) {
    if (state() != task_state::finished) await_other(limit);
  }
  /// Waits until the task is over. Returns its exception, or null.
  /// Throws: timeout_error; cancelled_error.
  std::exception_ptr await_exception(const timeout& limit);
  /// Calls `f` when the task is over, or at once if it is over already.
  void add_done_callback(callback f);
  /// Waits until done(). Throws: timeout_error.
  void wait_until(steady_time deadline);
  /// Registers an observer. Calls it at once if the task is over already.
  void watch(completion_watch& watch);
  void unwatch(completion_watch& watch);
  std::shared_ptr<wait_room> room() { return owner_->shared_room(); }

  /// The encoded arguments, unless they are large, until the task is over, then the encoded result or exception. Before the
  /// submission, only the caller uses it, then only the pool. Once the task is over, mutex_ guards it.
  byte_buffer bytes;
  /// Adds the out-of-band buffers of the arguments, and what the arguments refer to. Call it before the submission.
  void attach(blocks&& out_of_band, shared_references&& references);
  /// Rank 0 decides whether the task runs again after it has failed. Call it before the submission.
  void retry_by(std::shared_ptr<const retry_policy> policy);
  /// The task holds one of the max_pending places of its executor until it is over. Call it before the submission.
  void hold_place() { holds_place_ = true; }
  /// Returns the digest of the encoded callable and arguments. Call it before the submission.
  digest input() const;
  /// Completes the task with an outcome that is known already, in place of a submission.
  void restore(outcome&& known);

 protected:
  small_mutex mutex_;

  blocks_view out_of_band() const;
  // The caller holds mutex_:
  /// Frees the encoded result once it is decoded.
  void drop_encoded();
  /// Keeps the exception that is being handled, which every further call throws. The result cannot be decoded a second time,
  /// because part of it may have been moved out.
  void keep_unreadable();
  /// Throws the exception of keep_unreadable(), if any.
  void rethrow_unreadable();

  /// Decodes the result. Returns null, or the exception if that fails, the same one in each call.
  virtual std::exception_ptr materialise() = 0;

 private:
  // Members that most futures never need. They are defined in future_state.cpp, so that programs do not compile them.
  struct extras;
  struct delete_extras {
    void operator()(extras* gone) const noexcept;
  };

  void await_other(const timeout& limit);
  task_state settled_state() const;
  bool begin_ending();
  bool become(task_state end, outcome&& result);
  bool decide_retry();
  void run_callbacks();
  extras& ensure_extras();
  std::exception_ptr error();
  void run_callback(const callback& f);

  std::atomic<task_state> state_ = task_state::pending;
  std::atomic<bool> awaited_ = false;
  std::atomic<bool> polled_ = false;
  bool holds_place_ = false;
  const std::uint64_t id_;
  const std::shared_ptr<executor_core> owner_;
  std::unique_ptr<extras, delete_extras> extras_;
};

template <class R>
class future_state final : public future_state_base {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;
  using future_state_base::future_state_base;

  /// Returns the value. The first call decodes it; further calls return the same object.
  const value_type& value() {
    std::lock_guard lock(mutex_);
    return kept_value();
  }

  /// Returns a value that the caller owns. `last`: no other copy of the future exists.
  value_type take(bool last) {
    std::lock_guard lock(mutex_);
    rethrow_unreadable();
    if (!value_ && (last || out_of_band().empty())) return decode_value();
    value_type& kept = kept_value();  // out-of-band buffers can be moved out only once
    if (last) return std::move(kept);
    return copy_of_value();
  }

 private:
  value_type& kept_value() {
    if (value_) return **value_;
    rethrow_unreadable();
    try {
      value_.emplace([&] { return decode_value(); });
    } catch (...) {
      keep_unreadable();
      throw;
    }
    drop_encoded();
    return **value_;
  }

  value_type decode_value() {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      byte_reader in(bytes, out_of_band());
      return decode_result<R>(in);
    }
  }

  // Copies the value by encoding and decoding it: no type trait tells whether a container of move-only objects can be copied.
  value_type copy_of_value() {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      byte_buffer copy;
      byte_writer out(copy);
      detail::encode(out, **value_);
      byte_reader in(copy);
      return decode_result<R>(in);
    }
  }

  std::exception_ptr materialise() override {
    try {
      (void)value();
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  std::optional<boxed_if_large<value_type>> value_;
};

}  // namespace rankpool::detail
