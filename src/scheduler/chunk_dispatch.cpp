#include "scheduler/chunk_dispatch.hpp"

#include "wire/worker_pace.hpp"

#include <algorithm>
#include <cmath>

namespace rankpool::detail {

chunk_dispatch::chunk_dispatch(scheduler_state& state, scheduling_policy policy) : state_(state), policy_(policy) {
  const int workers = static_cast<int>(state_.workers.size());
  // Rank 0 spends about a microsecond on each message: with many workers, the work of one message must last longer.
  policy_.prefetch_window = std::max(policy_.prefetch_window, std::chrono::nanoseconds(std::chrono::microseconds(20)) * workers);
  policy_.longest_chunk = std::max(policy_.longest_chunk, policy_.prefetch_window);
  policy_.longest_prefetched = std::max(policy_.longest_prefetched, policy_.prefetch_window / 5);
  // A worker that has results gathers them for a while before it sends them.
  policy_.recall_after = std::max(policy_.recall_after, 3 * worker_pace::for_workers(workers).flush_after);
  prefetch_nanoseconds_ = static_cast<double>(policy_.prefetch_window.count()) * policy_.workers_per_core;
}

void chunk_dispatch::run(steady_time now, effects& out) {
  if (!state_.awaited.empty()) send_pinned(now, out);
  send_to_idle(now, out);  // every worker gets a chunk before any gets a second one
  prefetch(now, out);
  recall_from_stuck(now, out);
}

// ---- whether and how much

// An executor that may not use all workers keeps to those that it is open on, as long as one of them is idle: their initializer
// has run, and what earlier tasks have left there is found again.
bool chunk_dispatch::may_use(const executor_entry& executor, worker_index w) const {
  const auto place = static_cast<std::size_t>(w.value);
  const bool is_restricted = !executor.restricted_to.empty();
  if (is_restricted && !executor.restricted_to[place]) return false;
  if (executor.chunks_at[place] > 0) return true;
  if (executor.users >= executor.max_workers) return false;
  const bool may_use_all = static_cast<std::size_t>(executor.max_workers) >= state_.usable();
  if (is_restricted || executor.is_open_on[place] || may_use_all) return true;
  return std::ranges::none_of(executor.opened_on, [&](worker_index other) { return state_.at(other).chunks.empty(); });
}

bool chunk_dispatch::has_room(const worker_state& worker, const job& work, steady_time now) const {
  const std::size_t chunks = worker.chunks.size();
  if (chunks == 0) return true;
  if (worker.is_reserved) return false;
  if (now - worker.last_progress >= policy_.recall_after) return false;  // a task there takes longer than expected
  const std::size_t max_chunks = std::min(policy_.max_chunks, policy_.initial_chunks + 4 * worker.results);
  if (worker.is_recalling || chunks >= max_chunks || worker.bytes >= policy_.max_bytes) return false;
  const task_statistics& kind = *work.schedule.statistics;
  if (!kind.has_data() || kind.nanoseconds_per_item() > static_cast<double>(policy_.longest_prefetched.count())) return false;
  if (worker.chunks.back().expected_nanoseconds <= 0) return false;
  return chunks == 1 || worker.nanoseconds() < prefetch_nanoseconds_;  // one is always prefetched
}

// How many items of `work` make the next chunk for a worker.
std::uint64_t chunk_dispatch::items_for(const executor_entry& executor, const worker_state& worker, job& work) const {
  if (const auto given = work.chunksize(); given > 0) return given;
  const task_statistics& kind = *work.schedule.statistics;
  if (!kind.has_data()) return 1;
  const double users = std::min<double>(executor.max_workers, static_cast<double>(state_.usable()));
  const auto available = static_cast<double>(work.available());
  const double each = std::max(kind.nanoseconds_per_item() * worker.speed.slowness(), 0.1);
  const double target = std::clamp(available * each / (users * 16), static_cast<double>(policy_.prefetch_window.count()) / 2,
                                   static_cast<double>(policy_.longest_chunk.count()));
  double items = std::min(target / each, std::ceil(available / (users * 2)));
  if (kind.result_bytes_per_item() > 0) items = std::min(items, static_cast<double>(1 << 20) / kind.result_bytes_per_item());
  return static_cast<std::uint64_t>(std::max(items, 1.0));
}

// ---- which

// The first job of an executor that has something to cut; jobs that have nothing leave the queue on the way.
job* chunk_dispatch::first_job(executor_entry& executor, effects& out) {
  while (!executor.queue.empty()) {
    auto level = executor.queue.begin();
    while (!level->second.empty()) {
      job& front = *level->second.front();
      if (front.available() > 0) return &front;
      const job_ptr gone = std::move(level->second.front());
      level->second.pop_front();
      gone->schedule.queued = false;
      if (executor.stale > 0) --executor.stale;
      state_.finish_if_over(executor, *gone, out);
    }
    executor.queue.erase(level);
  }
  return nullptr;
}

bool chunk_dispatch::has_work(effects& out) {
  return std::ranges::any_of(
      state_.executors, [&](const auto& e) { return !e->is_cancelled && (!e->requeued.empty() || first_job(*e, out) != nullptr); });
}

chunk_dispatch::candidate chunk_dispatch::find_candidate(worker_index w, effects& out) {
  candidate best;
  for (const auto& executor : state_.executors) {
    if (executor->is_cancelled || !may_use(*executor, w)) continue;
    const bool is_requeued = !executor->requeued.empty() && (!executor->requeued.front().alone || state_.at(w).chunks.empty());
    job* const work = is_requeued ? executor->requeued.front().work.get() : first_job(*executor, out);
    if (work == nullptr) continue;
    const rank its_rank = rank_of(*work);
    if (best.work == nullptr || its_rank < rank_of(*best.work)) {
      const rank next_rank = best.work == nullptr ? last_rank : rank_of(*best.work);
      best = {executor.get(), work, is_requeued, next_rank};
    } else {
      best.next_rank = std::min(best.next_rank, its_rank);
    }
  }
  return best;
}

// ---- sending

// A pinned chunk goes to its worker once that one is idle: behind other chunks it could be recalled again and again.
void chunk_dispatch::send_pinned(steady_time now, effects& out) {
  for (const worker_index w : state_.awaited) {
    worker_state& worker = state_.at(w);
    while (worker.chunks.empty() && !worker.pinned.empty()) {
      executor_entry& executor = *state_.find(worker.pinned.front().executor());
      if (executor.is_cancelled) break;  // its chunks are about to be dropped
      if (!may_use(executor, w)) break;  // its chunks elsewhere end first
      tracked_chunk c = std::move(worker.pinned.front());
      worker.pinned.pop_front();
      if (c.part.count == 0) {
        c.part = c.work->cut(1);
        c.work->schedule.queued = false;
        if (c.part.count == 0) {  // cancelled
          state_.finish_if_over(executor, *c.work, out);
          continue;
        }
        ++c.work->schedule.running;
      } else if (!state_.resume(executor, c, out)) {
        continue;
      }
      send(executor, w, std::move(c), now, out);
    }
  }
  state_.remove_pinned([](const tracked_chunk&) { return false; });  // the workers that wait for none any more
}

void chunk_dispatch::send_to_idle(steady_time now, effects& out) {
  for (auto w = state_.idle.begin(); w != state_.idle.end() && has_work(out);) {
    const worker_index next = *w++;  // it leaves the list if it is sent something
    fill(next, 1, now, out);
  }
}

void chunk_dispatch::prefetch(steady_time now, effects& out) {
  if (state_.has_new_work) {
    for (std::size_t left = state_.busy.size(); left > 0 && has_work(out); --left) {
      const worker_index first = state_.busy.front();
      state_.busy.splice(state_.busy.end(), state_.busy, state_.busy.begin());  // the others come first next time
      fill(first, policy_.max_chunks, now, out);
    }
  } else {
    for (const worker_index w : state_.reported) {
      if (!has_work(out)) break;
      if (!state_.at(w).chunks.empty()) fill(w, policy_.max_chunks, now, out);
    }
  }
  for (const worker_index w : state_.reported) state_.at(w).has_reported = false;
  state_.reported.clear();
  state_.has_new_work = !has_work(out);  // if none is left, every worker may have room for what comes next
}

void chunk_dispatch::fill(worker_index w, std::size_t max_chunks, steady_time now, effects& out) {
  worker_state& worker = state_.at(w);
  if (!worker.pinned.empty()) return;
  std::size_t cuts = 0;      // in this call
  std::size_t max_cuts = 0;  // so that the other workers get some as well
  for (std::size_t sent = 0; sent < max_chunks;) {
    const candidate next = find_candidate(w, out);
    if (next.work == nullptr || !has_room(worker, *next.work, now)) return;
    executor_entry& executor = *next.executor;
    if (next.is_requeued) {
      tracked_chunk c = std::move(executor.requeued.front());
      executor.requeued.pop_front();
      if (!state_.resume(executor, c, out)) continue;
      send(executor, w, std::move(c), now, out);
      ++sent;
      continue;
    }
    if (max_cuts == 0) {
      const auto users = std::min<std::size_t>(static_cast<std::size_t>(executor.max_workers), state_.usable());
      max_cuts = std::max<std::size_t>(1, executor.queue.begin()->second.size() / (2 * users));
    }
    for (job* work = next.work;;) {
      if (cuts == max_cuts) return;
      if (cut(executor, *work, w, now, out)) {
        ++cuts;
        ++sent;
      }
      work = sent < max_chunks ? first_job(executor, out) : nullptr;
      if (work == nullptr || next.next_rank < rank_of(*work) || !has_room(worker, *work, now)) break;
    }
  }
}

// Sends a chunk of the first job in an executor's queue; false if there was nothing to cut after all.
bool chunk_dispatch::cut(executor_entry& executor, job& work, worker_index w, steady_time now, effects& out) {
  auto& level = executor.queue.begin()->second;
  tracked_chunk c{.part = work.cut(items_for(executor, state_.at(w), work))};
  const bool has_items = c.part.count > 0;
  const bool is_emptied = work.available() == 0;
  if (has_items) {
    ++work.schedule.running;
    c.work = is_emptied ? std::move(level.front()) : level.front();
    send(executor, w, std::move(c), now, out);
  }
  if (is_emptied) {
    const job_ptr gone = std::move(level.front());  // null if the chunk has it
    level.pop_front();
    work.schedule.queued = false;
    if (level.empty()) executor.queue.erase(executor.queue.begin());
    if (!has_items) state_.finish_if_over(executor, work, out);
  } else if (has_items && work.may_grow()) {  // it may read on without end: its equals get their turn in between
    job_ptr first = std::move(level.front());
    level.pop_front();
    state_.move_back(work);
    level.push_back(std::move(first));
  }
  return has_items;
}

void chunk_dispatch::send(executor_entry& executor, worker_index w, tracked_chunk&& c, steady_time now, effects& out) {
  worker_state& worker = state_.at(w);
  const auto place = static_cast<std::size_t>(w.value);
  if (worker.chunks.empty()) {
    if (now - worker.last_progress >= policy_.recall_after) worker.results = 0;
    worker.last_progress = now;
  }
  if (!executor.is_open_on[place]) {
    executor.is_open_on[place] = true;
    executor.opened_on.push_back(w);
    out.open.push_back({w, executor.id});
  }
  const tracked_chunk& sent = state_.put(executor, w, std::move(c));
  out.send.push_back({w, sent.id, executor.id, sent.work.get(), &sent.part});
}

// ---- recalls and waits

void chunk_dispatch::recall_from_stuck(steady_time now, effects& out) {
  if (state_.idle.empty() || state_.prefetching == 0 || now - recalls_checked_ < policy_.recall_after / 4) return;
  recalls_checked_ = now;
  for (const worker_index w : state_.busy) {
    const worker_state& worker = state_.at(w);
    if (worker.is_recalling || worker.chunks.size() < 2 || now - worker.last_progress < policy_.recall_after) continue;
    state_.begin_recall(w);
    out.recalls.push_back({w});
  }
}

std::optional<steady_time> chunk_dispatch::next_check(steady_time now) const {
  return !state_.idle.empty() && state_.prefetching > 0 ? std::optional(now + policy_.recall_after) : std::nullopt;
}

std::chrono::nanoseconds chunk_dispatch::quiet_for(steady_time now) const {
  constexpr std::size_t many = 1000;  // with so many workers, one of them is always about to run out of chunks
  if (state_.in_flight == 0 || state_.busy.size() > many) return {};
  double least = std::numeric_limits<double>::max();
  for (const worker_index index : state_.busy) {
    const worker_state& w = state_.at(index);
    const auto passed = std::chrono::duration<double, std::nano>(now - w.last_progress).count();
    least = std::min(least, w.nanoseconds() - passed);
    if (least <= 0) return {};
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(least, 1e9)));
}

}  // namespace rankpool::detail
