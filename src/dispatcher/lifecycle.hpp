// The life of a pool: one state, its transitions, and what an early stop has left undone.
#pragma once

#include <rankpool/detail/support/steady_time.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

namespace rankpool::detail {

enum class pool_state : std::uint8_t {
  running,   ///< accepts tasks and sends them
  draining,  ///< as running, but maps read no further input
  stopping,  ///< cluster::stop was called: no further task starts; running tasks may finish within the grace period
  ending,    ///< remaining tasks have failed; the workers have been told to end, or will be
  ended,     ///< every worker has confirmed that it ends
  failed,    ///< an error within the pool itself; its workers may still run
};

/// The table of transitions.
bool may_become(pool_state from, pool_state to);

/// Thread safety: all functions, from any thread.
class lifecycle {
 public:
  pool_state state() const { return state_.load(); }
  /// The one place where the state changes. False: the table refuses the transition, and the state stays.
  bool become(pool_state to);

  /// Tasks are accepted.
  bool is_open() const { return state() <= pool_state::draining; }
  /// Jobs that are submitted now fail at once.
  bool has_ended() const { return state() >= pool_state::ending; }
  /// No worker sends a message any more.
  bool is_over() const { return state() >= pool_state::ended; }
  bool has_failed() const { return state() == pool_state::failed; }

  // ---- an early stop

  /// How long tasks may still run after stop_early(). Default: 30 s. Call it before stop_early().
  void set_grace_period(std::chrono::nanoseconds time) { grace_period_ = time; }
  std::chrono::nanoseconds grace_period() const { return grace_period_; }
  /// From now on the state is stopping. The grace period begins. False: it was called before, or the pool has ended.
  bool stop_early(const std::string& why, steady_time now);
  /// stop_early() has been called; also after the pool has ended.
  bool is_stopped_early() const { return is_stopped_early_; }
  /// The stopped_error that tasks fail with after stop_early(); null before.
  std::exception_ptr stop_reason() const { return is_stopped_early_ ? stop_reason_ : nullptr; }
  /// The state is stopping, and the grace period is over.
  bool is_grace_period_over(steady_time now) const;

  /// Tasks still ran when the grace period was over, and may run on.
  void note_abandoned_tasks() { has_abandoned_tasks_ = true; }
  bool has_abandoned_tasks() const { return has_abandoned_tasks_; }
  /// A task has not run, or was not accepted, because of `error`. It counts if that is the stop_reason().
  void note_left_out(const std::exception_ptr& error);
  bool has_left_out_work() const { return has_left_out_work_; }

  // ---- std::exit() in rank 0's program

  /// The calling thread ends the process: no callback is called from now on.
  void begin_exit() { exiting_ = std::this_thread::get_id(); }
  bool is_exiting() const { return exiting_.load() != std::thread::id(); }
  bool is_exiting_on_another_thread() const { return is_exiting() && exiting_.load() != std::this_thread::get_id(); }

 private:
  std::atomic<pool_state> state_ = pool_state::running;

  std::mutex mutex_;  // taken to stop early
  std::chrono::nanoseconds grace_period_ = std::chrono::seconds(30);
  std::exception_ptr stop_reason_;  // written before is_stopped_early_
  steady_time grace_period_ends_;   // likewise
  std::atomic<bool> is_stopped_early_ = false;
  std::atomic<bool> has_abandoned_tasks_ = false;
  std::atomic<bool> has_left_out_work_ = false;
  std::atomic<std::thread::id> exiting_;
};

}  // namespace rankpool::detail
