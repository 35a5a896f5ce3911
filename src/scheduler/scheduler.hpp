// The scheduler: a state machine without threads, messages or clock. Each event is a function call, which gets the current time
// where it matters and adds to `effects`, which the dispatcher turns into messages and completed jobs.
#pragma once

#include "scheduler/chunk_dispatch.hpp"
#include "scheduler/effects.hpp"
#include "scheduler/scheduler_state.hpp"
#include "scheduler/scheduling_policy.hpp"

#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/support/steady_time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

namespace rankpool::detail {

class scheduler {
 public:
  explicit scheduler(int workers, scheduling_policy policy = {});

  // ---- events
  /// `crash_limit`: a chunk that has lost so many workers fails.
  void on_open(executor_id executor, int max_workers, std::uint32_t crash_limit);
  void on_close(executor_id executor, effects& out);
  /// The job's executor and priority are set in the job.
  void on_submit(job_ptr work, effects& out);
  /// One job for each worker of the executor, in rank order: min(max_workers, workers) jobs. An executor that may not use all
  /// workers keeps to the chosen ones from now on: first those that it is open on, then idle ones.
  void on_submit_everywhere(executor_id executor, const std::vector<job_ptr>& work, effects& out);
  /// A job has more items, is sealed, or was cancelled.
  void on_change(job& work, effects& out);
  /// Returns the chunk with this id at a worker, or nothing if the worker does not have it. Valid until the next event.
  std::optional<observed_chunk> chunk_at(worker_index where, chunk_id id);
  /// Returns the chunks at a worker. Valid until the next event.
  std::vector<observed_chunk> chunks_at(worker_index where) const;
  /// A worker runs this chunk, and it takes long.
  void on_started(worker_index from, chunk_id id);
  /// A worker has finished a chunk. Returns its job and items, or nothing if the chunk is not at that worker.
  std::optional<effects::completion> on_result(worker_index from, chunk_id id, std::chrono::nanoseconds taken,
                                               std::size_t result_bytes, steady_time now, effects& out);
  /// A worker has returned the chunks that it had not started. `answers_request`: of a recall; else the answer may still come.
  void on_recalled(worker_index from, const std::vector<chunk_id>& ids, effects& out, bool answers_request = true);
  /// A worker was lost: what it sends from now on is ignored. Its chunks run on other workers. Only the item that it was running
  /// counts the loss, and becomes a chunk of its own. If `running` is none, that is not known: then the chunk that the worker has
  /// reported as started counts the loss, or, if there is none, all of its chunks do. What has counted a loss runs on a worker
  /// that has nothing else. A chunk that has lost as many workers as the executor's crash limit fails with `why`, a
  /// std::exception, as do pinned chunks of the worker. If no worker is left, everything fails with broken_pool. Returns the
  /// number of tasks and items that run again.
  std::uint64_t on_worker_lost(worker_index where, const std::exception_ptr& why, effects& out,
                               std::optional<running_item> running = std::nullopt);
  /// The chunk of a job is to be cancelled by the worker that holds it. Nothing happens if no worker does.
  void on_abort(job& work, effects& out);
  /// A failed part of a job waits for its next attempt, until on_retry(). Returns false, and abandons the job, if there will be
  /// none.
  bool on_retry_requested(job& work, effects& out);
  /// The delay before the next attempt of a part is over.
  void on_retry(job& work, effects& out);
  /// The processes of an executor's isolated tasks are to get a signal.
  void on_end_processes(executor_id executor, int signal, effects& out);
  /// An executor accepts no more jobs, and its jobs read no further input. `cancel`: what has not started is cancelled.
  void on_shutdown(executor_id executor, bool cancel, effects& out);
  /// The initializer has failed on a worker: what is queued of the executor fails, and what is at that worker, where it will not
  /// start.
  void on_broken(executor_id executor, worker_index where, const std::exception_ptr& why, effects& out);
  /// No chunk is sent any more: what is queued, and what comes, fails with `why`. Chunks at workers may finish.
  void on_stop(const std::exception_ptr& why, effects& out);
  /// The end of the pool: everything fails.
  void on_end(const std::exception_ptr& why, effects& out);

  /// Orders for all that can be sent or recalled now.
  void dispatch(steady_time now, effects& out) { dispatch_.run(now, out); }
  /// When dispatch() may have something to do although nothing has happened; none: never.
  std::optional<steady_time> next_check(steady_time now) const { return dispatch_.next_check(now); }
  /// For how long no worker is expected to run out of work; 0 if one may at any time.
  std::chrono::nanoseconds quiet_for(steady_time now) const { return dispatch_.quiet_for(now); }

  /// A worker has no chunk.
  bool any_idle() const { return !state_.idle.empty(); }
  /// A chunk is at a worker.
  bool busy() const { return state_.in_flight > 0; }
  /// Returns the number of workers that have chunks.
  std::size_t busy_workers() const { return state_.busy.size(); }
  /// Returns the number of workers that are not lost.
  std::size_t usable_workers() const { return state_.usable(); }
  /// Returns why no chunk is sent any more: on_stop() was called, or no worker is left. Else null.
  const std::exception_ptr& stop_reason() const { return state_.stopped; }
  /// For tests.
  const scheduler_state& state() const { return state_; }

 private:
  bool refuse_if_over(const executor_entry& executor, const job_ptr& work, effects& out);
  std::vector<worker_index> choose_workers(executor_entry& executor);
  bool take_back(executor_entry& executor, tracked_chunk& c, effects& out);
  void drop_cancelled_chunks(executor_entry& executor, job& work);
  void drop_stale_jobs(executor_entry& executor, effects& out);
  void cancel(executor_entry& executor, tracked_chunk& c, effects& out);
  void fail(executor_entry& executor, tracked_chunk& c, const std::exception_ptr& why, effects& out);
  void fail_queued(executor_entry& executor, const std::exception_ptr& why, effects& out);

  scheduler_state state_;
  chunk_dispatch dispatch_;
};

}  // namespace rankpool::detail
