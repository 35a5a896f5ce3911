#include "scheduler/scheduler_state.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace rankpool::detail {

void tracked_chunk::refuse(chunk_state to) const {
  throw std::logic_error(std::string("scheduler: a chunk that is ") + to_string(state) + " cannot become " + to_string(to));
}

scheduler_state::scheduler_state(int count) : workers(static_cast<std::size_t>(count)) {
  for (int w = 0; w < count; ++w) at({w}).place = idle.insert(idle.end(), {w});
}

executor_entry* scheduler_state::find(executor_id id) {
  for (const auto& e : executors) {
    if (e->id == id) return e.get();
  }
  return nullptr;
}

task_statistics* scheduler_state::statistics_of(const job& work) {
  const task_kind k(work.function, work.identity);
  if (last_kind_.second != nullptr && last_kind_.first == k) return last_kind_.second;
  auto& entry = kinds_[k];
  if (entry == nullptr) entry = std::make_unique<task_statistics>();
  last_kind_ = {k, entry.get()};
  return entry.get();
}

// ---- jobs

void scheduler_state::enter(job& work) {
  move_back(work);
  work.schedule.statistics = statistics_of(work);
}

void scheduler_state::enqueue(executor_entry& executor, job_ptr work) {
  auto& s = work->schedule;
  executor.queue[s.priority].push_back(std::move(work));
  s.queued = true;
}

void scheduler_state::finish_if_over(executor_entry& executor, job& work, effects& out) {
  auto& s = work.schedule;
  if (s.finished || s.queued || s.running > 0 || work.may_grow() || work.available() > 0) return;
  if (s.retries_here && work.awaits_retry()) return;
  s.finished = true;
  if (s.retries_here) executor.retrying.erase(job_ptr(&work));
  if (!executor.growing.empty()) std::erase_if(executor.growing, [&](const job_ptr& j) { return j.get() == &work; });
  out.jobs_finished.push_back(executor.id);
}

// ---- chunks

tracked_chunk& scheduler_state::put(executor_entry& executor, worker_index w, tracked_chunk&& c) {
  worker_state& worker = at(w);
  c.become(chunk_state::sent);
  c.id = ++last_chunk_;
  ++c.attempts;
  const task_statistics& kind = *c.work->schedule.statistics;
  c.expected_nanoseconds = kind.has_data() ? std::max(kind.nanoseconds_per_item() * static_cast<double>(c.part.count), 1.0) : 0;
  c.bytes = c.part.payload.size() + total_size(c.part.out_of_band);
  worker.expected_nanoseconds += c.expected_nanoseconds;
  worker.bytes += c.bytes;
  worker.is_reserved = c.alone;
  if (executor.chunks_at[static_cast<std::size_t>(w.value)]++ == 0) ++executor.users;
  ++in_flight;
  if (worker.chunks.empty()) busy.splice(busy.end(), idle, worker.place);
  if (worker.chunks.size() == 1) ++prefetching;
  return worker.chunks.emplace_back(std::move(c));
}

// Chunks are in the order sent, so their ids rise; as a rule it is the first.
chunk_queue::iterator scheduler_state::find(worker_state& worker, chunk_id id) {
  auto& chunks = worker.chunks;
  if (!chunks.empty() && chunks.front().id == id) return chunks.begin();
  const auto found = std::ranges::lower_bound(chunks, id, {}, &tracked_chunk::id);
  return found != chunks.end() && found->id == id ? found : chunks.end();
}

tracked_chunk scheduler_state::take(worker_index w, chunk_queue::iterator which) {
  tracked_chunk c = std::move(*which);
  remove(w, which, find(c.executor()));
  return c;
}

void scheduler_state::remove(worker_index w, chunk_queue::iterator which, executor_entry* executor) {
  worker_state& worker = at(w);
  const double expected_nanoseconds = which->expected_nanoseconds;
  worker.bytes -= which->bytes;
  if (which == worker.chunks.begin()) {
    worker.chunks.pop_front();
  } else {
    worker.chunks.erase(which);
  }
  if (worker.chunks.size() == 1) --prefetching;
  if (worker.chunks.empty()) idle.splice(idle.begin(), busy, worker.place);
  worker.expected_nanoseconds = worker.chunks.empty() ? 0 : worker.expected_nanoseconds - expected_nanoseconds;
  ++worker.results;
  --in_flight;
  if (executor == nullptr) return;
  const bool is_limited = static_cast<std::size_t>(executor->max_workers) < usable();
  if (is_limited && executor->users == executor->max_workers) has_new_work = true;  // it may use another worker now
  if (--executor->chunks_at[static_cast<std::size_t>(w.value)] == 0) --executor->users;
}

bool scheduler_state::resume(executor_entry& executor, tracked_chunk& c, effects& out) {
  if (c.work->resume(c.part.first)) return true;
  c.become(chunk_state::cancelled);
  --c.work->schedule.running;
  finish_if_over(executor, *c.work, out);
  return false;
}

void scheduler_state::begin_recall(worker_index w) {
  worker_state& worker = at(w);
  worker.is_recalling = true;
  for (tracked_chunk& c : worker.chunks) {
    if (c.state == chunk_state::sent) c.become(chunk_state::recalling);
  }
}

std::vector<tracked_chunk> scheduler_state::lose(worker_index w) {
  worker_state& worker = at(w);
  std::vector<tracked_chunk> gone;
  while (!worker.chunks.empty()) gone.push_back(take(w, worker.chunks.begin()));
  for (tracked_chunk& c : worker.pinned) gone.push_back(std::move(c));
  worker.pinned.clear();
  std::erase(awaited, w);
  idle.erase(worker.place);
  worker.is_lost = true;
  worker.is_recalling = false;
  for (const auto& executor : executors) {
    executor->is_open_on[static_cast<std::size_t>(w.value)] = false;
    std::erase(executor->opened_on, w);
    if (executor->restricted_to.empty()) continue;
    executor->restricted_to[static_cast<std::size_t>(w.value)] = false;
    if (std::ranges::find(executor->restricted_to, true) == executor->restricted_to.end()) executor->restricted_to.clear();
  }
  has_new_work = true;
  return gone;
}

void scheduler_state::report(worker_index w, steady_time now) {
  worker_state& worker = at(w);
  worker.last_progress = now;
  if (!std::exchange(worker.has_reported, true)) reported.push_back(w);
}

// ---- pinned chunks

void scheduler_state::pin(worker_index w, tracked_chunk c, bool is_first) {
  auto& pinned = at(w).pinned;
  if (pinned.empty()) awaited.push_back(w);
  pinned.insert(is_first ? pinned.begin() : pinned.end(), std::move(c));
}

void scheduler_state::remove_pinned(const std::function<bool(tracked_chunk&)>& condition) {
  for (const worker_index w : awaited) std::erase_if(at(w).pinned, condition);
  // A worker without pinned chunks may be sent other work again.
  if (std::erase_if(awaited, [&](worker_index w) { return at(w).pinned.empty(); }) > 0) has_new_work = true;
}

// ---- for tests

void scheduler_state::check() const {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("scheduler: ") + what);
  };
  std::size_t sent = 0;
  for (const worker_state& w : workers) {
    sent += w.chunks.size();
    std::size_t bytes = 0;
    for (const tracked_chunk& c : w.chunks) {
      bytes += c.bytes;
      require(c.state == chunk_state::sent || c.state == chunk_state::started || c.state == chunk_state::recalling,
              "a chunk at a worker has a state of chunks that are elsewhere");
      require(c.attempts > 0, "a chunk at a worker was never sent");
      require(c.work->schedule.running > 0, "a job has a chunk at a worker and does not count it");
      require(!c.work->schedule.finished, "a finished job has a chunk at a worker");
    }
    require(bytes == w.bytes, "the bytes at a worker are wrong");
  }
  require(sent == in_flight, "the number of chunks in flight is wrong");
  const auto lost = static_cast<std::size_t>(std::ranges::count_if(workers, [](const worker_state& w) { return w.is_lost; }));
  require(idle.size() + busy.size() + lost == workers.size(), "a worker is neither idle nor busy nor lost");
  for (const worker_index w : idle) require(at(w).chunks.empty(), "an idle worker has a chunk");
  for (const worker_index w : busy) require(!at(w).chunks.empty(), "a busy worker has no chunk");
  const auto with_several = std::ranges::count_if(workers, [](const worker_state& w) { return w.chunks.size() > 1; });
  require(static_cast<std::size_t>(with_several) == prefetching, "the number of workers with several chunks is wrong");
  for (std::size_t w = 0; w < workers.size(); ++w) {
    const bool is_awaited = std::ranges::find(awaited, worker_index{static_cast<int>(w)}) != awaited.end();
    require(is_awaited != workers[w].pinned.empty(), "the list of workers with pinned chunks is wrong");
    for (const tracked_chunk& c : workers[w].pinned) {
      require(c.part.count > 0 || c.work->schedule.queued, "a pinned job is not marked as queued");
    }
  }
  for (const auto& executor : executors) {
    int users = 0;
    for (std::size_t w = 0; w < workers.size(); ++w) {
      const auto here = std::ranges::count_if(workers[w].chunks, [&](const auto& c) { return c.executor() == executor->id; });
      require(here == executor->chunks_at[w], "the number of an executor's chunks at a worker is wrong");
      users += here > 0 ? 1 : 0;
    }
    require(users == executor->users, "the number of an executor's workers is wrong");
    require(users <= executor->max_workers, "an executor uses more workers than it may");
    for (const tracked_chunk& c : executor->requeued) {
      require(c.state == chunk_state::queued || c.state == chunk_state::lost, "a returned chunk is not queued");
    }
    for (const auto& [priority, level] : executor->queue) {
      for (std::size_t i = 0; i < level.size(); ++i) {
        require(level[i]->schedule.queued, "a queued job is not marked as queued");
        require(level[i]->schedule.priority == priority, "a job is queued at another priority than its own");
        require(i == 0 || level[i - 1]->schedule.sequence < level[i]->schedule.sequence, "a queue is out of order");
      }
    }
  }
}

}  // namespace rankpool::detail
