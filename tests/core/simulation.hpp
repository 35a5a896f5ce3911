// A scheduler with simulated jobs and workers, and a clock that the test sets.
#pragma once

#include "scheduler/scheduler.hpp"
#include "support/catch.hpp"
#include "support/counting_job.hpp"

#include <rankpool/errors.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

namespace simulated {

using namespace rankpool::detail;
using support::counting_job;

// A scheduler, its workers, and a clock. A worker runs its chunks in order.
class simulation {
 public:
  explicit simulation(int workers, scheduling_policy policy = {})
      : scheduler_(workers, policy), queues_(static_cast<std::size_t>(workers)) {}

  scheduler& operator*() { return scheduler_; }

  void open(executor_id id, int max_workers) { scheduler_.on_open(id, max_workers, 3); }

  shared_job<counting_job> submit(executor_id id, shared_job<counting_job> work, int priority = 0) {
    effects out;
    work->schedule.executor = id;
    work->schedule.priority = priority;
    scheduler_.on_submit(work, out);
    take(out);
    return work;
  }

  // Submits a job of one item for each of `workers` workers of the executor.
  std::vector<shared_job<counting_job>> submit_everywhere(executor_id id, int workers) {
    effects out;
    std::vector<shared_job<counting_job>> jobs;
    for (int w = 0; w < workers; ++w) {
      jobs.push_back(make_job<counting_job>(1, 1, everywhere_kind));
      jobs.back()->schedule.executor = id;
    }
    scheduler_.on_submit_everywhere(id, {jobs.begin(), jobs.end()}, out);
    take(out);
    return jobs;
  }

  void recall_all_but_first(int w) {
    std::vector<chunk_id> ids;
    while (queue(w).size() > 1) {
      ids.insert(ids.begin(), queue(w).back().id);
      queue(w).pop_back();
    }
    effects out;
    scheduler_.on_recalled({w}, ids, out);
    take(out);
  }

  void recall_all(int w) {
    std::vector<chunk_id> ids;
    for (const auto& p : queue(w)) ids.push_back(p.id);
    queue(w).clear();
    effects out;
    scheduler_.on_recalled({w}, ids, out);
    take(out);
  }

  // `running`: what the worker was running, if that is known.
  void lose(int w, std::optional<running_item> running = std::nullopt) {
    queue(w).clear();
    effects out;
    scheduler_.on_worker_lost({w}, lost, out, running);
    take(out);
    scheduler_.state().check();
  }

  void shut_down(executor_id id, bool cancel) {
    effects out;
    scheduler_.on_shutdown(id, cancel, out);
    take(out);
  }

  void dispatch() {
    effects out;
    scheduler_.dispatch(now, out);
    take(out);
  }

  // The worker finishes its first chunk after `taken`.
  void finish_one(int w, std::chrono::nanoseconds taken) {
    const chunk_id id = queue(w).front().id;
    queue(w).pop_front();
    now += taken;
    effects out;
    auto done = scheduler_.on_result({w}, id, taken, 8, now, out);
    REQUIRE(done);
    done->work->on_outcome(done->first, done->count, {});
    take(out);
  }

  // Finishes everything. Each chunk takes `each(worker)`. Returns how many chunks each worker ran.
  std::vector<int> run_all(const std::function<std::chrono::nanoseconds(int worker)>& each) {
    std::vector<int> chunks(queues_.size());
    std::vector<std::chrono::steady_clock::time_point> free_at(queues_.size(), now);
    dispatch();
    for (;;) {
      int next = -1;
      for (std::size_t w = 0; w < queues_.size(); ++w) {
        if (!queues_[w].empty() && (next < 0 || free_at[w] < free_at[static_cast<std::size_t>(next)])) next = static_cast<int>(w);
      }
      if (next < 0) return chunks;
      const auto w = static_cast<std::size_t>(next);
      const auto begin = std::max(free_at[w], queue(next).front().sent);
      const auto taken = each(next);
      free_at[w] = begin + taken;
      now = std::max(now, free_at[w]);
      const chunk_id id = queue(next).front().id;
      queue(next).pop_front();
      effects out;
      auto done = scheduler_.on_result({next}, id, taken, 8, now, out);
      done->work->on_outcome(done->first, done->count, {});
      ++chunks[w];
      take(out);
      dispatch();
      scheduler_.state().check();
    }
  }

  void take(effects& out) {
    for (const auto& order : out.send) queue(order.to.value).push_back({order.id, now});
    for (const auto& recall : out.recalls) recalled.push_back(recall.to.value);
    for (const auto& c : out.completions) {
      c.work->on_outcome(c.first, c.count, {});
      failed += c.count;
      last_error = c.error;
    }
    for (const auto& a : out.abandon) a.work->abandon(a.error);
    finished += out.jobs_finished.size();
    effects after;
    for (const auto& a : out.abandon) scheduler_.on_change(*a.work, after);
    finished += after.jobs_finished.size();
    opened += out.open.size();
  }

  struct sent_chunk {
    chunk_id id;
    std::chrono::steady_clock::time_point sent;
  };
  std::deque<sent_chunk>& queue(int w) { return queues_[static_cast<std::size_t>(w)]; }

  static constexpr std::uintptr_t everywhere_kind = 99;

  std::chrono::steady_clock::time_point now{};
  std::size_t finished = 0;
  std::size_t opened = 0;
  std::vector<int> recalled;
  std::uint64_t failed = 0;  // items of chunks that ended without running
  std::exception_ptr last_error;
  const std::exception_ptr lost = std::make_exception_ptr(rankpool::broken_pool("the worker is lost"));

 private:
  scheduler scheduler_;
  std::vector<std::deque<sent_chunk>> queues_;
};

inline shared_job<counting_job> items(std::uint64_t n, std::uint64_t chunk = 1, std::uintptr_t kind = 0) {
  return make_job<counting_job>(n, chunk, kind);
}

}  // namespace simulated
