// The part of an executor that needs no templates: it submits jobs and shared bytes to the pool.
#pragma once

#include <rankpool/detail/call/invocation.hpp>
#include <rankpool/detail/dispatcher/executor_listener.hpp>
#include <rankpool/detail/dispatcher/wait_room.hpp>
#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/shared/shared_data.hpp>
#include <rankpool/detail/wire/runner_settings.hpp>
#include <rankpool/detail/wire/task_limits.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace rankpool::detail {

class pool;

enum class executor_state : std::uint8_t {
  open,       ///< accepts jobs
  broken,     ///< its initializer failed, or the run was stopped early: accepts no jobs; shutdown() was not called
  shut_down,  ///< shutdown() was called; submitted jobs still run
  closed,     ///< shut down, and every job has finished: the pool and the workers drop it
};

/// Returns whether the table of transitions allows the change.
bool may_become(executor_state from, executor_state to);

class executor_core final : public executor_listener {
 public:
  /// Opens an executor. `max_workers` 0: all workers. `max_pending` 0: no limit.
  /// Throws: std::invalid_argument if max_workers is negative; pool_closed if the pool has ended; stopped_error if it has abandoned
  /// tasks after an early stop; error if the tasks are to be isolated and the pool has no runner processes.
  static std::shared_ptr<executor_core> open(std::shared_ptr<pool> owner, int max_workers, initializer_call initializer,
                                             std::size_t max_pending, const runner_settings& runners,
                                             const task_limits& default_limits);

  ~executor_core();

  /// Queues a job.
  /// Throws: pool_closed after shutdown() or the end of the pool; broken_pool after a failed initializer; stopped_error after an
  /// early stop; error if a task calls it.
  void submit(job_ptr work, int priority);
  /// Takes one of the max_pending places for a task that is about to be submitted. Returns false if there is no limit.
  /// Throws: as submit().
  /// Blocks: until a place is free. On the thread that drives the pool, it never blocks and may exceed the limit.
  bool take_place() { return max_pending_ > 0 && await_place(); }
  /// Returns a place that take_place() has taken.
  void on_place_free();
  /// Queues one job for each of the `most_workers()` workers, in rank order. Throws: as submit().
  void submit_everywhere(std::vector<job_ptr> work);
  /// Returns the number of workers that this executor may use, also after shutdown().
  int most_workers() const { return workers_; }
  /// Returns the limits of tasks whose options give none.
  const task_limits& default_limits() const { return default_limits_; }
  /// Returns whether the tasks run in runner processes.
  bool is_isolated() const { return runners_.isolated != 0; }
  /// Returns executor_options::crash_limit.
  int crash_limit() const { return static_cast<int>(runners_.crash_limit); }
  /// Has a failed part of a job run again after a delay: the pool then calls job::retry(). `first`: the part's first item. Returns
  /// false, and does nothing, if the pool has ended or memory is short.
  bool retry_later(job_ptr work, std::uint64_t first, std::chrono::nanoseconds delay);
  /// Has the chunk of an isolated job cancelled by the worker that holds it.
  void abort(job_ptr work);
  /// Shuts down, cancels what has not started, and ends the processes of the isolated tasks with a signal. Throws:
  /// std::invalid_argument if the tasks are not isolated.
  void end_processes(int signal);
  /// Tells the pool that a job has more items, is sealed or was cancelled.
  void changed(job_ptr work);

  /// Sends the bytes to every node. `object`: the value that they encode, if rank 0 uses it instead of the bytes; may be null.
  /// Throws: as submit(), and std::bad_alloc.
  std::shared_ptr<const shared_data> share(std::span<const std::byte> bytes, std::shared_ptr<const void> object);

  /// Returns the number of workers that this executor may use; 0 after shutdown().
  int num_workers() const;
  /// Accepts no more jobs. `cancel`: cancels what has not started. A further call may add `wait` or `cancel`.
  /// Blocks: with `wait`, until every job has finished or the pool has failed.
  void shutdown(bool wait, bool cancel);
  /// Records that an input item was refused with `error`.
  void note_left_out(const std::exception_ptr& error);

  wait_room& room();
  std::shared_ptr<wait_room> shared_room();
  std::uint64_t next_task_id();

  // ---- executor_listener
  void on_jobs_finished(std::uint64_t count) override;
  void on_broken(const std::exception_ptr& why) override;

 private:
  bool become(executor_state to);
  void close_if_finished();
  void refuse_if_over() const;
  bool await_place();

  executor_core(std::shared_ptr<pool> owner, std::uint32_t id, int workers, std::size_t max_pending, const runner_settings& runners,
                const task_limits& default_limits);

  const std::shared_ptr<pool> pool_;
  const std::uint32_t id_;
  const int workers_;
  const std::size_t max_pending_;  // 0: no limit
  const runner_settings runners_;
  const task_limits default_limits_;
  std::atomic<std::size_t> pending_ = 0;        // places taken
  std::atomic<std::size_t> place_waiters_ = 0;  // threads that wait for a place
  std::atomic<executor_state> state_ = executor_state::open;
  mutable std::mutex mutex_;
  std::exception_ptr broken_reason_;  // also if shutdown() was called before it broke
  std::atomic<bool> awaited_ = false;
  alignas(64) std::atomic<std::uint64_t> unfinished_ = 0;  // written by the submitting thread and by the driving thread
};

}  // namespace rankpool::detail
