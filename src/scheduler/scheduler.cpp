#include "scheduler/scheduler.hpp"

#include <rankpool/errors.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rankpool::detail {

namespace {

// `why`: the last worker was lost.
std::exception_ptr no_worker_left(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& e) {
    return std::make_exception_ptr(broken_pool(std::string("no worker is left: ") + e.what()));
  }
}

// A worker was lost while it ran this chunk, or may have. Counts the loss against the item that the worker ran, and returns up to
// three chunks: that item, and those before and after it. If the item is not known, divides the chunk into parts that run alone, so
// that the next loss tells more, and none of them counts this one.
std::vector<tracked_chunk> count_loss(const tracked_chunk& c, std::optional<std::uint64_t> item) {
  std::vector<tracked_chunk> parts;
  const auto add = [&](std::uint64_t first, std::uint64_t count, bool is_alone, bool counts) {
    if (count == 0) return;
    tracked_chunk& p = parts.emplace_back(c);
    if (count < c.part.count) p.part = c.work->cut_from(c.part, c.part.first + first, count);
    p.alone = p.alone || is_alone;
    if (counts) ++p.losses;
  };
  if (item && *item < c.part.count) {
    add(0, *item, false, false);
    add(*item, 1, true, true);
    add(*item + 1, c.part.count - *item - 1, false, false);
  } else {
    constexpr std::uint64_t most_parts = 16;
    const std::uint64_t number = std::clamp<std::uint64_t>(c.part.count, 1, most_parts);
    for (std::uint64_t p = 0; p < number; ++p) {
      const std::uint64_t first = c.part.count * p / number;
      add(first, c.part.count * (p + 1) / number - first, true, number == 1);
    }
  }
  c.work->schedule.running += static_cast<std::uint32_t>(parts.size()) - 1;
  return parts;
}

}  // namespace

scheduler::scheduler(int workers, scheduling_policy policy) : state_(workers), dispatch_(state_, policy) {}

// ---- executors

void scheduler::on_open(executor_id id, int max_workers, std::uint32_t crash_limit) {
  auto executor = std::make_unique<executor_entry>();
  executor->id = id;
  executor->max_workers = max_workers;
  executor->crash_limit = crash_limit;
  executor->chunks_at.resize(state_.workers.size());
  executor->is_open_on.resize(state_.workers.size());
  executor->broken = state_.stopped;
  state_.executors.push_back(std::move(executor));
}

void scheduler::on_close(executor_id id, effects& out) {
  const executor_entry* executor = state_.find(id);
  if (executor == nullptr) return;
  for (const worker_index w : executor->opened_on) out.close.push_back({w, id});
  state_.remove_pinned([&](const tracked_chunk& c) { return c.executor() == id; });
  std::erase_if(state_.executors, [&](const auto& e) { return e->id == id; });
}

void scheduler::on_shutdown(executor_id id, bool cancel, effects& out) {
  executor_entry* executor = state_.find(id);
  if (executor == nullptr) return;
  executor->is_shut_down = true;
  for (const job_ptr& work : std::exchange(executor->growing, {})) {
    if (!work->may_grow()) continue;
    work->seal();
    if (!work->schedule.queued && work->available() > 0) {
      state_.move_back(*work);
      state_.enqueue(*executor, work);
    }
    state_.finish_if_over(*executor, *work, out);
  }
  for (auto& [priority, level] : executor->queue) executor->stale += level.size();
  if (!cancel) return drop_stale_jobs(*executor, out);
  executor->is_cancelled = true;
  for (const auto& [work, parts] : executor->retrying) out.abandon.push_back({work, nullptr});
  for (const tracked_chunk& c : executor->requeued) out.abandon.push_back({c.work, nullptr});
  for (const worker_index w : state_.awaited) {
    for (const tracked_chunk& c : state_.at(w).pinned) {
      if (c.executor() == id) out.abandon.push_back({c.work, nullptr});
    }
  }
  for (auto& [priority, level] : executor->queue) {
    for (const auto& work : level) out.abandon.push_back({work, nullptr});
  }
}

void scheduler::on_broken(executor_id id, worker_index where, const std::exception_ptr& why, effects& out) {
  executor_entry* executor = state_.find(id);
  if (executor == nullptr) return;
  auto& chunks = state_.workers.at(static_cast<std::size_t>(where.value)).chunks;
  for (std::size_t i = 0; i < chunks.size();) {
    if (chunks[i].executor() != id) {
      ++i;
      continue;
    }
    tracked_chunk c = state_.take(where, chunks.begin() + static_cast<std::ptrdiff_t>(i));
    fail(*executor, c, why, out);
    out.completions.back().abandoned_at = where;
  }
  executor->broken = why;
  fail_queued(*executor, why, out);
}

// ---- jobs

// Enters a job. True: its executor has stopped accepting jobs, unknown to the thread that submitted it, so the job is abandoned.
bool scheduler::refuse_if_over(const executor_entry& executor, const job_ptr& work, effects& out) {
  state_.enter(*work);
  if (executor.broken == nullptr && !executor.is_cancelled) return false;
  work->schedule.finished = true;
  out.jobs_finished.push_back(executor.id);
  out.abandon.push_back({work, executor.broken});
  return true;
}

void scheduler::on_submit(job_ptr work, effects& out) {
  executor_entry* executor = state_.find(work->schedule.executor);
  if (executor == nullptr) throw std::logic_error("scheduler: a job of an unknown executor");
  if (refuse_if_over(*executor, work, out)) return;
  if (work->may_grow()) {
    executor->growing.push_back(work);
    if (executor->is_shut_down) work->seal();
  }
  if (work->available() > 0) {
    state_.enqueue(*executor, std::move(work));
  } else {
    state_.finish_if_over(*executor, *work, out);
  }
}

void scheduler::on_submit_everywhere(executor_id id, const std::vector<job_ptr>& work, effects& out) {
  executor_entry* executor = state_.find(id);
  if (executor == nullptr) throw std::logic_error("scheduler: a job of an unknown executor");
  const std::vector<worker_index> chosen = choose_workers(*executor);
  const bool fits = state_.usable() == state_.workers.size() ? chosen.size() == work.size() : chosen.size() <= work.size();
  if (!fits) throw std::logic_error("scheduler: not one job for each worker of the executor");
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (refuse_if_over(*executor, work[i], out)) continue;
    if (i >= chosen.size()) {
      work[i]->schedule.finished = true;
      out.jobs_finished.push_back(id);
      out.abandon.push_back({work[i], std::make_exception_ptr(broken_pool("a worker was lost: there is no worker for this call"))});
      continue;
    }
    work[i]->schedule.queued = true;
    tracked_chunk c;
    c.work = work[i];
    c.pinned = true;
    state_.pin(chosen[i], std::move(c), false);
  }
}

// In rank order.
std::vector<worker_index> scheduler::choose_workers(executor_entry& executor) {
  std::vector<worker_index> chosen;
  for (int w = 0; w < static_cast<int>(state_.workers.size()); ++w) {
    if (!state_.at({w}).is_lost) chosen.push_back({w});
  }
  const auto count = static_cast<std::size_t>(executor.max_workers);
  if (count >= chosen.size()) return chosen;
  if (executor.restricted_to.empty()) {
    const auto preference = [&](worker_index w) {
      const bool is_open = executor.is_open_on[static_cast<std::size_t>(w.value)];
      return std::pair(is_open ? 0 : state_.at(w).chunks.empty() ? 1 : 2, w.value);
    };
    std::ranges::sort(chosen, {}, preference);
    executor.restricted_to.resize(state_.workers.size());
    for (std::size_t i = 0; i < count; ++i) executor.restricted_to[static_cast<std::size_t>(chosen[i].value)] = true;
    std::ranges::sort(chosen, {}, &worker_index::value);
  }
  std::erase_if(chosen, [&](worker_index w) { return !executor.restricted_to[static_cast<std::size_t>(w.value)]; });
  return chosen;
}

void scheduler::on_change(job& work, effects& out) {
  executor_entry* executor = state_.find(work.schedule.executor);
  if (executor == nullptr || work.schedule.finished || work.schedule.sequence == 0) return;
  if (work.schedule.running > 0) drop_cancelled_chunks(*executor, work);
  const bool is_available = work.available() > 0;
  if (work.schedule.queued && !is_available && !state_.awaited.empty()) {
    bool was_pinned = false;
    state_.remove_pinned([&](const tracked_chunk& c) {
      if (c.work.get() != &work) return false;
      was_pinned = true;
      return true;
    });
    if (was_pinned) {
      work.schedule.queued = false;
      return state_.finish_if_over(*executor, work, out);
    }
  }
  if (work.schedule.queued) {
    if (!is_available) ++executor->stale;
    drop_stale_jobs(*executor, out);
  } else if (is_available) {
    state_.move_back(work);  // input that is read now is behind jobs that were submitted before
    state_.enqueue(*executor, &work);
  } else {
    state_.finish_if_over(*executor, work, out);
  }
}

// Chunks that were queued again and have been cancelled since.
void scheduler::drop_cancelled_chunks(executor_entry& executor, job& work) {
  const auto is_cancelled = [&](tracked_chunk& c) {
    if (c.work.get() != &work || c.part.count == 0 || work.is_requeued(c.part.first)) return false;
    c.become(chunk_state::cancelled);
    --work.schedule.running;
    return true;
  };
  std::erase_if(executor.requeued, is_cancelled);
  if (!state_.awaited.empty()) state_.remove_pinned(is_cancelled);
}

// Removes cancelled jobs from within the queue once they are many, or when a thread waits for the executor's end.
void scheduler::drop_stale_jobs(executor_entry& executor, effects& out) {
  std::size_t queued = 0;
  for (const auto& [priority, level] : executor.queue) queued += level.size();
  if (executor.stale == 0 || (!executor.is_shut_down && executor.stale * 2 < queued)) return;
  for (auto& [priority, level] : executor.queue) {
    std::erase_if(level, [&](const job_ptr& work) {
      if (work->available() > 0) return false;
      work->schedule.queued = false;
      state_.finish_if_over(executor, *work, out);
      return true;
    });
  }
  executor.stale = 0;
}

// ---- workers

std::optional<observed_chunk> scheduler::chunk_at(worker_index where, chunk_id id) {
  worker_state& worker = state_.workers.at(static_cast<std::size_t>(where.value));
  const auto which = state_.find(worker, id);
  if (which == worker.chunks.end()) return std::nullopt;
  return observed_chunk{*which->work, which->part.first, which->part.count, where.value};
}

std::vector<observed_chunk> scheduler::chunks_at(worker_index where) const {
  std::vector<observed_chunk> all;
  for (const tracked_chunk& c : state_.at(where).chunks) all.push_back({*c.work, c.part.first, c.part.count, where.value});
  return all;
}

void scheduler::on_started(worker_index from, chunk_id id) {
  worker_state& worker = state_.workers.at(static_cast<std::size_t>(from.value));
  const auto which = state_.find(worker, id);
  if (which == worker.chunks.end() || which->state == chunk_state::started) return;
  which->become(chunk_state::started);
}

std::optional<effects::completion> scheduler::on_result(worker_index from, chunk_id id, std::chrono::nanoseconds taken,
                                                        std::size_t result_bytes, steady_time now, effects& out) {
  worker_state& worker = state_.workers.at(static_cast<std::size_t>(from.value));
  const auto which = state_.find(worker, id);
  if (which == worker.chunks.end()) return std::nullopt;
  which->become(chunk_state::done);
  const double expected = which->expected_nanoseconds;
  effects::completion over{std::move(which->work), which->part.first, which->part.count, nullptr, std::nullopt};
  job& work = *over.work;
  executor_entry* const executor = state_.find(work.schedule.executor);
  state_.remove(from, which, executor);
  state_.report(from, now);
  const auto measured = static_cast<double>(taken.count());
  if (expected > 0) worker.speed.add(expected, measured);
  task_statistics& kind = *work.schedule.statistics;
  if (!kind.has_data()) state_.has_new_work = true;  // tasks of this kind may be prefetched from now on
  kind.add(over.count, measured, result_bytes);
  --work.schedule.running;
  if (executor != nullptr && !work.schedule.retries_here) state_.finish_if_over(*executor, work, out);
  return over;
}

// Cancels a chunk that is not at a worker.
void scheduler::cancel(executor_entry& executor, tracked_chunk& c, effects& out) {
  c.become(chunk_state::cancelled);
  --c.work->schedule.running;
  out.abandon.push_back({c.work, nullptr});
  state_.finish_if_over(executor, *c.work, out);
}

bool scheduler::on_retry_requested(job& work, effects& out) {
  executor_entry* const executor = state_.find(work.schedule.executor);
  if (executor == nullptr || work.schedule.finished || executor->broken != nullptr || executor->is_cancelled) {
    out.abandon.push_back({&work, executor == nullptr ? nullptr : executor->broken, true});
    return false;
  }
  ++executor->retrying[&work];
  return true;
}

void scheduler::on_retry(job& work, effects& out) {
  executor_entry* const executor = state_.find(work.schedule.executor);
  if (executor == nullptr) return;
  const auto found = executor->retrying.find(&work);
  if (found != executor->retrying.end() && --found->second == 0) executor->retrying.erase(found);
  on_change(work, out);
}

void scheduler::on_abort(job& work, effects& out) {
  if (work.schedule.finished) return;
  if (work.schedule.running == 0) {
    if (!work.schedule.retries_here) return;
    work.schedule.aborted = true;  // it waits for its next attempt, or is about to
    return out.abandon.push_back({&work, nullptr});
  }
  work.schedule.aborted = true;
  if (executor_entry* const executor = state_.find(work.schedule.executor)) {
    const auto is_of_work = [&](const tracked_chunk& c) { return c.work.get() == &work; };
    const auto queued = std::ranges::find_if(executor->requeued, is_of_work);
    if (queued != executor->requeued.end()) {
      tracked_chunk c = std::move(*queued);
      executor->requeued.erase(queued);
      return cancel(*executor, c, out);
    }
  }
  for (const worker_index w : state_.busy) {
    for (const tracked_chunk& c : state_.at(w).chunks) {
      if (c.work.get() == &work) out.aborts.push_back({w, c.id});
    }
  }
}

void scheduler::on_end_processes(executor_id id, int signal, effects& out) {
  const executor_entry* const executor = state_.find(id);
  if (executor == nullptr) return;
  for (const worker_index w : executor->opened_on) out.ends.push_back({w, id, signal});
}

// A chunk is on rank 0 again. Returns false if it is over.
bool scheduler::take_back(executor_entry& executor, tracked_chunk& c, effects& out) {
  if (executor.broken != nullptr) {  // sent again, it could reach a worker that runs nothing of this executor any more
    fail(executor, c, executor.broken, out);
    return false;
  }
  c.work->on_requeued(c.part.first, c.part.count);
  if (c.work->schedule.aborted) {
    cancel(executor, c, out);
    return false;
  }
  if (!c.work->is_requeued(c.part.first)) {  // the job was abandoned, and has given the chunk its outcome
    c.become(chunk_state::cancelled);
    --c.work->schedule.running;
    state_.finish_if_over(executor, *c.work, out);
    return false;
  }
  if (executor.is_cancelled) out.abandon.push_back({c.work, nullptr});
  return true;
}

std::uint64_t scheduler::on_worker_lost(worker_index where, const std::exception_ptr& why, effects& out,
                                        std::optional<running_item> running) {
  if (state_.at(where).is_lost) return 0;
  std::uint64_t again = 0;
  std::vector<tracked_chunk> chunks = state_.lose(where);
  const auto has_started = [](const tracked_chunk& c) { return c.state == chunk_state::started; };
  const bool is_started_known = std::ranges::any_of(chunks, has_started);
  const auto may_have_run = [&](const tracked_chunk& c) {
    return running ? c.id == running->chunk : !is_started_known || has_started(c);
  };
  std::deque<tracked_chunk> unharmed;
  const auto run_again = [&](executor_entry& executor, tracked_chunk& c) {
    if (c.pinned || c.losses >= executor.crash_limit) {
      fail(executor, c, why, out);
      out.completions.back().lost_at = where;
      return;
    }
    if (!take_back(executor, c, out)) return;
    again += c.part.count;
    (c.alone ? executor.requeued : unharmed).push_back(std::move(c));
  };
  for (tracked_chunk& c : chunks) {
    executor_entry* const executor = state_.find(c.executor());
    if (executor == nullptr) continue;
    if (c.pinned && c.part.count == 0) {
      c.work->schedule.queued = false;
      out.abandon.push_back({c.work, why});
      continue;
    }
    const bool was_sent = c.state != chunk_state::queued;  // else it is pinned
    const bool counts = was_sent && may_have_run(c);
    if (was_sent) c.become(chunk_state::lost);
    if (!counts) {
      run_again(*executor, c);
      continue;
    }
    for (tracked_chunk& part : count_loss(c, running ? std::optional(running->item) : std::nullopt)) run_again(*executor, part);
  }
  for (; !unharmed.empty(); unharmed.pop_back()) {  // in their old order, before what runs alone
    state_.find(unharmed.back().executor())->requeued.push_front(std::move(unharmed.back()));
  }
  if (state_.usable() > 0) return again;
  state_.stopped = no_worker_left(why);
  for (const auto& executor : state_.executors) {
    if (executor->broken == nullptr) executor->broken = state_.stopped;
    fail_queued(*executor, executor->broken, out);
  }
  return 0;
}

void scheduler::on_recalled(worker_index from, const std::vector<chunk_id>& ids, effects& out, bool answers_request) {
  worker_state& worker = state_.workers.at(static_cast<std::size_t>(from.value));
  if (answers_request) worker.is_recalling = false;  // no sign of progress: until its task ends, it is sent nothing
  state_.has_new_work = true;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {  // so that they are sent again in their old order
    const auto which = state_.find(worker, *id);
    if (which == worker.chunks.end()) continue;
    if (which->state == chunk_state::sent)
      which->become(chunk_state::recalling);  // sent after the request, or returned without one
    which->become(chunk_state::queued);       // throws for one that has started, which stays where it is
    tracked_chunk c = state_.take(from, which);
    executor_entry* executor = state_.find(c.executor());
    if (executor == nullptr || !take_back(*executor, c, out)) continue;
    if (c.pinned) {
      state_.pin(from, std::move(c), true);
    } else {
      executor->requeued.push_front(std::move(c));
    }
  }
  if (!answers_request) return;
  for (tracked_chunk& c : worker.chunks) {
    if (c.state == chunk_state::recalling) c.become(chunk_state::started);  // else it would have been returned
  }
}

// ---- failures

void scheduler::fail(executor_entry& executor, tracked_chunk& c, const std::exception_ptr& why, effects& out) {
  c.become(chunk_state::failed);
  --c.work->schedule.running;
  out.completions.push_back({c.work, c.part.first, c.part.count, why});
  state_.finish_if_over(executor, *c.work, out);
}

// Everything of this executor that is on rank 0 fails with `why`.
void scheduler::fail_queued(executor_entry& executor, const std::exception_ptr& why, effects& out) {
  for (tracked_chunk& c : executor.requeued) {
    if (state_.resume(executor, c, out)) fail(executor, c, why, out);
  }
  executor.requeued.clear();
  std::vector<job_ptr> all;
  state_.remove_pinned([&](tracked_chunk& c) {
    if (c.executor() != executor.id) return false;
    if (c.part.count == 0) {
      all.push_back(std::move(c.work));
    } else if (state_.resume(executor, c, out)) {
      fail(executor, c, why, out);
    }
    return true;
  });
  for (auto& [priority, level] : executor.queue) all.insert(all.end(), level.begin(), level.end());
  executor.queue.clear();
  executor.stale = 0;
  for (job_ptr& work : std::exchange(executor.growing, {})) {
    if (!work->schedule.queued) all.push_back(std::move(work));
  }
  for (const auto& [work, parts] : std::exchange(executor.retrying, {})) {
    out.abandon.push_back({work, why, true});
    if (!work->schedule.queued) all.push_back(work);
  }
  for (const auto& work : all) {
    work->schedule.queued = false;
    out.abandon.push_back({work, why});
    if (!work->schedule.finished && work->schedule.running == 0) {
      work->schedule.finished = true;
      out.jobs_finished.push_back(executor.id);
    }
  }
}

void scheduler::on_stop(const std::exception_ptr& why, effects& out) {
  state_.stopped = why;
  for (const auto& executor : state_.executors) {
    if (executor->broken == nullptr) executor->broken = why;
    fail_queued(*executor, executor->broken, out);
  }
  for (const worker_index w : state_.busy) {
    if (state_.at(w).is_recalling) continue;
    state_.begin_recall(w);
    out.recalls.push_back({w});
  }
}

void scheduler::on_end(const std::exception_ptr& why, effects& out) {
  for (std::size_t w = 0; w < state_.workers.size(); ++w) {
    while (!state_.workers[w].chunks.empty()) {
      const worker_index where{static_cast<int>(w)};
      tracked_chunk c = state_.take(where, state_.workers[w].chunks.begin());
      c.become(chunk_state::failed);
      --c.work->schedule.running;
      out.still_read.insert(out.still_read.end(), c.part.out_of_band.begin(), c.part.out_of_band.end());
      out.completions.push_back({c.work, c.part.first, c.part.count, why, where});
      if (executor_entry* executor = state_.find(c.executor())) state_.finish_if_over(*executor, *c.work, out);
    }
  }
  for (const auto& executor : state_.executors) fail_queued(*executor, why, out);
}

}  // namespace rankpool::detail
