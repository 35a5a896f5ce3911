// Which chunk goes to which worker next, how many items are in it, and which chunks are recalled.
//
// The rules:
//  - Work is pulled: a worker is sent more as it returns results, so a slow worker gets less.
//  - The queue of a worker is measured in time. Short tasks are sent many at a time and long ones singly, so that what is
//    still on rank 0 can be cancelled, or go to whichever worker is free first.
//  - Towards the end of a map its chunks shrink (guided self-scheduling). A worker that has returned no result for some time, while
//    others are idle, is asked to return the chunks that it has not started.
//  - Jobs of higher priority go first, then the order of submission counts, across all executors. A job whose input is still
//    being read goes behind its equals each time that a chunk of it is sent.
//  - A pinned chunk runs on one particular worker, which is sent nothing else until it is idle and has been sent that chunk.
#pragma once

#include "scheduler/effects.hpp"
#include "scheduler/scheduler_state.hpp"
#include "scheduler/scheduling_policy.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace rankpool::detail {

class chunk_dispatch {
 public:
  /// `state` must outlive the object.
  chunk_dispatch(scheduler_state& state, scheduling_policy policy);

  /// Orders for all that can be sent or recalled now.
  void run(steady_time now, effects& out);
  /// When run() may have something to do although nothing has happened; none: never.
  std::optional<steady_time> next_check(steady_time now) const;
  /// For how long no worker is expected to run out of work; 0 if one may at any time.
  std::chrono::nanoseconds quiet_for(steady_time now) const;

 private:
  // The order of jobs: by priority, then by submission; less is earlier.
  using rank = std::pair<long, std::uint64_t>;
  static rank rank_of(const job& j) { return {-static_cast<long>(j.schedule.priority), j.schedule.sequence}; }
  static constexpr rank last_rank{std::numeric_limits<long>::max(), 0};

  // The job, or the chunk that was queued again, that is first at a worker.
  struct candidate {
    executor_entry* executor = nullptr;
    job* work = nullptr;
    bool is_requeued = false;
    rank next_rank = last_rank;  // of the best of the other executors: up to it, this executor may continue
  };

  bool may_use(const executor_entry& executor, worker_index w) const;
  bool has_room(const worker_state& worker, const job& work, steady_time now) const;
  std::uint64_t items_for(const executor_entry& executor, const worker_state& worker, job& work) const;
  job* first_job(executor_entry& executor, effects& out);
  bool has_work(effects& out);
  candidate find_candidate(worker_index w, effects& out);

  void send_pinned(steady_time now, effects& out);
  void send_to_idle(steady_time now, effects& out);
  void prefetch(steady_time now, effects& out);
  void fill(worker_index w, std::size_t max_chunks, steady_time now, effects& out);
  bool cut(executor_entry& executor, job& work, worker_index w, steady_time now, effects& out);
  void send(executor_entry& executor, worker_index w, tracked_chunk&& c, steady_time now, effects& out);
  void recall_from_stuck(steady_time now, effects& out);

  scheduler_state& state_;
  scheduling_policy policy_;
  double prefetch_nanoseconds_ = 0;  // work that a worker has at once
  steady_time recalls_checked_{};
};

}  // namespace rankpool::detail
