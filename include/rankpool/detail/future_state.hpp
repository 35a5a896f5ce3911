// What the copies of a future share: the state of one task, from pending to its outcome.
//
// One allocation holds all of it, the encoded arguments of a small task included. The result stays encoded
// until somebody asks for it and is decoded on that thread. Two parts: future_state_base is everything that
// does not depend on the result's type (src/core/future_state.cpp), future_state<R> adds the value.
#pragma once

#include <rankpool/detail/codec.hpp>
#include <rankpool/detail/executor_core.hpp>
#include <rankpool/detail/job.hpp>
#include <rankpool/detail/journal_call.hpp>
#include <rankpool/detail/small_mutex.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace rankpool::detail {

// `ending`: somebody has won the right to complete it and is about to.
enum class task_state : std::uint8_t { pending, running, ending, finished, failed, cancelled };

const char* to_string(task_state state);

class future_state_base;
class journal_tasks;

/// Told once when a watched future is over, under that future's lock.
class completion_watch {
 public:
  virtual ~completion_watch() = default;
  virtual void on_done(future_state_base& state) = 0;
};

class future_state_base : public job {
 public:
  using callback = std::function<void(const shared_job<future_state_base>&)>;

  future_state_base(std::shared_ptr<executor_core> owner, task_function run, std::uintptr_t kind);

  // ---- job
  std::uint64_t available() final { return state() == task_state::pending ? 1 : 0; }
  bool may_grow() final { return false; }
  piece cut(std::uint64_t items) final;
  bool on_outcome(std::uint64_t first, std::uint64_t count, outcome result) final;
  bool abandon(const std::exception_ptr& why) final;
  void react() final;

  // ---- the user's side
  std::uint64_t id() const { return id_; }
  task_state state() const { return state_.load(); }
  bool done() const { return state() >= task_state::finished; }
  /// done(), and in an inline cluster a second look makes the task run: nobody polls for ever.
  bool poll_done();
  bool cancel();
  /// Waits for the end; throws timeout_error. Then throws what the task threw, or cancelled_error.
  void await_value(const timeout& limit) {
    if (state() != task_state::finished) await_other(limit);
  }
  /// Waits for the end; the task's exception or null. Throws timeout_error, cancelled_error.
  std::exception_ptr await_exception(const timeout& limit);
  void add_done_callback(callback f);
  void wait_until(steady_time deadline);
  /// At once if it is over already.
  void watch(completion_watch& watch);
  void unwatch(completion_watch& watch);
  std::shared_ptr<wait_room> room() { return owner_->shared_room(); }

  /// Until the task is over its arguments, then the result or exception; encoded. Before it is submitted it is the
  /// caller's, then the pool's; afterwards guarded by mutex_.
  byte_buffer bytes;
  /// What travels beside them and what they refer to; before it is submitted.
  void attach(blocks beside, keepers kept) {
    if (!beside.empty()) more().beside = std::move(beside);
    if (!kept.empty()) more().kept = std::move(kept);
  }
  /// Instead of being submitted: takes its result from a journal. False: there is none, and it will be kept there.
  bool recall(std::shared_ptr<journal_tasks> from);

 protected:
  small_mutex mutex_;

  blocks_view beside() const { return extras_ == nullptr ? blocks_view() : blocks_view(extras_->beside); }
  /// Once it is decoded.
  void drop_encoded() {
    bytes = byte_buffer();
    if (extras_ != nullptr) extras_->beside = {};
  }

  /// Checks that the result can be decoded; the exception if not.
  virtual std::exception_ptr materialise() = 0;

 private:
  // Where the result is to be kept.
  struct kept_result {
    std::shared_ptr<journal_tasks> tasks;
    std::uint64_t item = 0;
    digest input{};
  };

  // What most futures never need.
  struct extras {
    blocks beside;                        // beside bytes
    keepers kept;                         // until the task is over
    std::deque<callback> callbacks;       // still to be called, in order of registration
    std::thread::id calling;              // who is at it
    std::vector<completion_watch*> watches;
    std::exception_ptr error;             // of a failed task, once rebuilt
    const worker_place* where = nullptr;  // of a task that threw
    kept_result journal;                  // until the task is over
  };

  void await_other(const timeout& limit);
  bool become(task_state end, outcome result);
  void note(outcome& result);
  extras& more();
  std::exception_ptr error();
  void run_callback(const callback& f);

  std::atomic<task_state> state_ = task_state::pending;
  std::atomic<bool> awaited_ = false;
  std::atomic<bool> polled_ = false;
  bool journalled_ = false;
  const std::uint64_t id_;
  const std::shared_ptr<executor_core> owner_;
  std::unique_ptr<extras> extras_;
};

template <class R>
class future_state final : public future_state_base {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;
  using future_state_base::future_state_base;

  /// The value, kept for further calls.
  const value_type& value() {
    std::lock_guard lock(mutex_);
    if (!value_) {
      value_.emplace(decode_value());
      drop_encoded();
    }
    return *value_;
  }

  /// A value of the caller's own; `last`: nobody else holds this future.
  value_type take(bool last) {
    std::lock_guard lock(mutex_);
    if (!value_ && (last || beside().empty())) return decode_value();
    if (!value_) value_.emplace(decode_value());  // what has come beside can be moved out once
    if (last) return std::move(*value_);
    return copy_of_value();
  }

 private:
  value_type decode_value() {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      byte_reader in(bytes, beside());
      return decode_result<R>(in);
    }
  }

  // By writing and reading it again: no trait tells whether a container of move-only objects can be copied.
  value_type copy_of_value() {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      byte_buffer copy;
      byte_writer out(copy);
      detail::encode(out, *value_);
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

  std::optional<value_type> value_;
};

}  // namespace rankpool::detail
