// One step of rank 0: events and messages go to the scheduler, its orders to the outbox, and finished work to its jobs.
#pragma once

#include "dispatcher/announcer.hpp"
#include "dispatcher/event.hpp"
#include "dispatcher/inbox.hpp"
#include "dispatcher/lifecycle.hpp"
#include "dispatcher/observer.hpp"
#include "dispatcher/outbox.hpp"
#include "dispatcher/stepper.hpp"
#include "scheduler/scheduler.hpp"
#include "transport/transport.hpp"

#include <rankpool/cluster.hpp>
#include <rankpool/detail/wire/worker_place.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace rankpool::detail {

struct dispatcher_options {
  std::vector<int> nodes = {};  ///< of each worker; 0, rank 0's, where it is empty
  scheduling_policy scheduling = {};
  steady_time (*now)() = &std::chrono::steady_clock::now;
  /// Asked at each step: false pauses the sending of tasks. Null: never.
  bool (*may_send)() = nullptr;
  dispatch_observer* trace = nullptr;  ///< called after `observer`, and told of the steps; may be null
};

/// Thread safety: one thread at a time, the driving one, but for the functions that say otherwise.
class dispatcher final : public stepper {
 public:
  /// All arguments but the options must outlive the dispatcher.
  dispatcher(transport& link, inbox& events, lifecycle& life, announcer& waiting, dispatch_observer& observer,
             const std::vector<worker_info>& workers, const dispatcher_options& options);

  // ---- stepper
  /// Throws: what handling a message or calling the transport throws. The caller must then call fail().
  bool step() override;
  bool send_submitted() override;
  void fail(const std::exception_ptr& why) override;
  void close() override;
  bool has_idle_worker() const override { return has_idle_worker_.load(std::memory_order_relaxed); }
  std::chrono::nanoseconds may_gather_for(steady_time now) const override;
  expectation expected(steady_time now) const override { return {scheduler_.quiet_for(now), scheduler_.busy_workers()}; }
  std::optional<steady_time> next_check(steady_time now) const override;

  /// The drain_requested event has been taken, and no submitted job is left. Thread safety: any thread.
  bool is_drained() const { return is_drained_; }
  /// A worker was lost. Thread safety: any thread.
  bool is_lost(worker_index w) const { return standings_[static_cast<std::size_t>(w.value)].is_lost; }

 private:
  struct listener_entry {
    std::weak_ptr<executor_listener> listener;
    initializer_call initializer;
    std::shared_ptr<block> large_payload;  // the initializer's, if it is large
    runner_settings runners;
  };
  // A call that is made at the end of a step, because it may call the pool: a job calls back, or an executor is told how many of
  // its jobs have finished.
  struct delivery {
    job_ptr calls_back;
    executor_id executor = 0;
    std::uint64_t finished = 0;
  };

  struct standing {
    std::atomic<bool> is_lost = false;
    bool has_ended = false;  // it is lost, or has confirmed that it ends
  };

  bool take_events(effects& out);
  void take(event& e, effects& out);
  void take(job_submitted& e, effects& out);
  void take(const job_changed& e, effects& out);
  void take(const job_aborted& e, effects& out);
  void take(const processes_ended& e, effects& out);
  void take(const executor_shut_down& e, effects& out);
  void take(const executor_closed& e, effects& out);
  void take(const value_released& e, effects& out);
  void take(const drain_requested& e, effects& out);
  void take(const stop_requested& e, effects& out);
  void take(const end_requested& e, effects& out);
  void take(executor_opened& e, effects& out);
  void take(submitted_everywhere& e, effects& out);
  void take(const value_shared& e, effects& out);
  void take(retry_requested& e, effects& out);
  void refuse(executor_id executor, job_ptr work, effects& out);

  bool release_retries(steady_time now, effects& out);
  void on_change(job& work, effects& out);

  void take_losses(effects& out);
  void on_lost(const lost_peer& lost, effects& out);
  void count_ended(worker_index w);
  void break_executors();

  bool take_frames(steady_time now, effects& out);
  void accept(worker_index from, const frame& f, steady_time now, effects& out);
  void accept(worker_index from, const result_record& result, steady_time now, effects& out);
  void accept(worker_index from, const recalled_record& recalled, effects& out);
  void accept(worker_index from, const open_failed_record& failed, effects& out);
  void accept_stopped(worker_index from);

  // Calls a function of the job's observer, which may replace a result, then of the pool's.
  template <class Function, class... Args>
  void observe(Function function, const observed_chunk& chunk, Args&... args) {
    if (chunk.work.observer != nullptr) ((*chunk.work.observer).*function)(chunk, args...);
    (observer_.*function)(chunk, args...);
    if (trace_ != nullptr) (trace_->*function)(chunk, args...);
  }

  void dispatch(steady_time now, effects& out);
  void abandon_running_tasks(effects& out);
  void end_running_tasks(effects& out);
  void send_orders(effects& out);
  void complete(job_ptr work, std::uint64_t first, std::uint64_t count, outcome&& result, effects& out);
  void queue_deliveries(effects& out);
  void deliver();
  void update_drained() { is_drained_ = is_draining_ && jobs_left_ == 0; }

  const worker_place& place_of(worker_index w) const { return places_[static_cast<std::size_t>(w.value)]; }

  transport& link_;
  inbox& inbox_;
  lifecycle& life_;
  announcer& waiting_;
  dispatch_observer& observer_;
  dispatch_observer* const trace_;
  traffic received_;
  std::chrono::nanoseconds ended_{};  // of the task whose result follows; 0: not reported
  steady_time (*const now_)();
  bool (*const may_send_)();
  bool is_paused_ = false;            // because may_send_() was false
  std::vector<worker_place> places_;  // of each worker
  scheduler scheduler_;
  outbox outbox_;
  std::map<executor_id, listener_entry> executors_;
  std::vector<event> events_;        // being taken; kept for its memory
  std::deque<delivery> deliveries_;  // in order; a callback that waits continues with those behind its own
  std::multimap<steady_time, std::pair<job_ptr, std::uint64_t>> retries_;  // parts that wait, by the end of the delay
  std::vector<standing> standings_;                                        // of each worker
  std::size_t workers_ended_ = 0;
  std::exception_ptr end_reason_;  // why what comes after the end fails
  blocks still_read_;              // workers may read them from this process
  std::uint64_t jobs_left_ = 0;    // of those taken from the inbox
  bool is_draining_ = false;
  std::atomic<bool> is_drained_ = false;
  std::atomic<bool> has_idle_worker_ = true;  // when the last step ended
};

}  // namespace rankpool::detail
