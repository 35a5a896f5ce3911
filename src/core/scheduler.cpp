// The events: how the books are kept. What is given out is decided in scheduler_dispatch.cpp.
#include "scheduler.hpp"

#include "worker_pace.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace rankpool::detail {

void kind_statistics::add(std::uint64_t items, double nanoseconds, std::size_t result_bytes) {
  constexpr double memory_nanoseconds = 50e6;  // older measurements fade
  items_ += static_cast<double>(items);
  nanoseconds_ += nanoseconds;
  bytes_ += static_cast<double>(result_bytes);
  if (nanoseconds_ > memory_nanoseconds && items_ > 1) {
    items_ /= 2;
    nanoseconds_ /= 2;
    bytes_ /= 2;
  }
  nanoseconds_per_item_ = nanoseconds_ / items_;
  bytes_per_item_ = bytes_ / items_;
}

void worker_speed::add(double expected_nanoseconds, double measured_nanoseconds) {
  expected_ += expected_nanoseconds;
  measured_ += measured_nanoseconds;
  if (expected_ > memory_nanoseconds) {
    expected_ /= 2;
    measured_ /= 2;
  }
  slowness_ = std::clamp(measured_ / expected_, 0.1, 10.0);
}

scheduler::scheduler(int workers, scheduling_policy policy) : policy_(policy), workers_(static_cast<std::size_t>(workers)) {
  // Rank 0 spends about a microsecond on each message: with many workers, what is in one must last longer.
  policy_.window = std::max(policy_.window, std::chrono::nanoseconds(std::chrono::microseconds(20)) * workers);
  policy_.longest_piece = std::max(policy_.longest_piece, policy_.window);
  policy_.longest_ahead = std::max(policy_.longest_ahead, policy_.window / 5);
  policy_.recall_after =
      std::max(policy_.recall_after, 3 * worker_pace::for_workers(workers).flush_after);  // or it just has not spoken up
  ahead_nanoseconds_ = static_cast<double>(policy_.window.count()) * policy_.workers_per_core;
  for (int w = 0; w < workers; ++w) at({w}).place = idle_.insert(idle_.end(), {w});
}

scheduler::executor_state* scheduler::find(executor_id id) {
  for (const auto& e : executors_) {
    if (e->id == id) return e.get();
  }
  return nullptr;
}

kind_statistics* scheduler::statistics_of(const job& work) {
  const auto kind = std::pair(work.function, work.identity);
  if (last_kind_.second != nullptr && last_kind_.first == kind) return last_kind_.second;
  auto& entry = kinds_[kind];
  if (entry == nullptr) entry = std::make_unique<kind_statistics>();
  last_kind_ = {kind, entry.get()};
  return entry.get();
}

// ---- events

void scheduler::on_open(executor_id id, int max_workers) {
  auto executor = std::make_unique<executor_state>();
  executor->id = id;
  executor->max_workers = max_workers;
  executor->at.resize(workers_.size());
  executor->opened.resize(workers_.size());
  executor->broken = halted_;
  executors_.push_back(std::move(executor));
}

void scheduler::on_close(executor_id id, effects& out) {
  const executor_state* executor = find(id);
  if (executor == nullptr) return;
  for (const worker_index w : executor->homes) out.close.push_back({w, id});
  std::erase_if(executors_, [&](const auto& e) { return e->id == id; });
}

void scheduler::on_submit(job_ptr work, effects& out) {
  executor_state* executor = find(work->schedule.executor);
  if (executor == nullptr) throw std::logic_error("scheduler: a job of an unknown executor");
  work->schedule.sequence = ++sequence_;
  work->schedule.statistics = statistics_of(*work);
  if (executor->broken != nullptr || executor->cancelled) {  // submitted before anybody knew
    work->schedule.finished = true;
    out.jobs_finished.push_back(executor->id);
    out.abandon.push_back({std::move(work), executor->broken});
    return;
  }
  if (work->may_grow()) {
    executor->growing.push_back(work);
    if (executor->shut) work->seal();
  }
  if (work->available() > 0) {
    enqueue(*executor, *work);
  } else {
    finish_if_over(*executor, *work, out);
  }
}

void scheduler::on_change(job& work, effects& out) {
  executor_state* executor = find(work.schedule.executor);
  if (executor == nullptr || work.schedule.finished || work.schedule.sequence == 0) return;
  const bool available = work.available() > 0;
  if (work.schedule.queued) {
    if (!available) ++executor->stale;
    purge(*executor, out);
  } else if (available) {
    work.schedule.sequence = ++sequence_;  // what is read of its input now is behind what was submitted before
    enqueue(*executor, work);
  } else {
    finish_if_over(*executor, work, out);
  }
}

void scheduler::enqueue(executor_state& executor, job& work) {
  executor.queue[work.schedule.priority].emplace_back(&work);
  work.schedule.queued = true;
}

// Drops cancelled jobs from the middle of the queue once they are many, or when somebody waits for the end.
void scheduler::purge(executor_state& executor, effects& out) {
  std::size_t queued = 0;
  for (const auto& [priority, level] : executor.queue) queued += level.size();
  if (executor.stale == 0 || (!executor.shut && executor.stale * 2 < queued)) return;
  for (auto& [priority, level] : executor.queue) {
    std::erase_if(level, [&](const job_ptr& work) {
      if (work->available() > 0) return false;
      work->schedule.queued = false;
      finish_if_over(executor, *work, out);
      return true;
    });
  }
  executor.stale = 0;
}

void scheduler::finish_if_over(executor_state& executor, job& work, effects& out) {
  auto& s = work.schedule;
  if (s.finished || s.queued || s.running > 0 || work.may_grow() || work.available() > 0) return;
  s.finished = true;
  if (!executor.growing.empty()) std::erase_if(executor.growing, [&](const job_ptr& j) { return j.get() == &work; });
  out.jobs_finished.push_back(executor.id);
}

// They are in the order sent, so their numbers rise; as a rule it is the first.
std::deque<scheduler::flying_piece>::iterator scheduler::find(worker_state& worker, piece_id id) {
  auto& pieces = worker.pieces;
  if (!pieces.empty() && pieces.front().id == id) return pieces.begin();
  const auto at = std::lower_bound(pieces.begin(), pieces.end(), id, [](const flying_piece& p, piece_id wanted) { return p.id < wanted; });
  return at != pieces.end() && at->id == id ? at : pieces.end();
}

scheduler::flying_piece scheduler::land(worker_index w, std::deque<flying_piece>::iterator which) {
  worker_state& worker = this->at(w);
  flying_piece p = std::move(*which);
  if (which == worker.pieces.begin()) {
    worker.pieces.pop_front();
  } else {
    worker.pieces.erase(which);
  }
  if (worker.pieces.size() == 1) --stacked_;
  if (worker.pieces.empty()) idle_.splice(idle_.begin(), busy_, worker.place);
  worker.expected_nanoseconds = worker.pieces.empty() ? 0 : worker.expected_nanoseconds - p.expected_nanoseconds;
  worker.bytes -= p.bytes;
  ++worker.returned;
  --in_flight_;
  if (executor_state* executor = find(p.executor())) {
    const bool limited = static_cast<std::size_t>(executor->max_workers) < workers_.size();
    if (limited && executor->users == executor->max_workers) look_at_all_ = true;  // it may have another now
    if (--executor->at[static_cast<std::size_t>(w.value)] == 0) --executor->users;
  }
  return p;
}

void scheduler::note_word_of(worker_index w, time now) {
  worker_state& worker = at(w);
  worker.heard = now;
  if (!std::exchange(worker.heard_from, true)) heard_from_.push_back(w);
}

std::optional<effects::completion> scheduler::on_result(worker_index from, piece_id id, std::chrono::nanoseconds taken,
                                                        std::size_t result_bytes, time now, effects& out) {
  worker_state& worker = workers_.at(static_cast<std::size_t>(from.value));
  const auto at = find(worker, id);
  if (at == worker.pieces.end()) return std::nullopt;
  flying_piece p = land(from, at);
  note_word_of(from, now);
  const auto measured = static_cast<double>(taken.count());
  if (p.expected_nanoseconds > 0) worker.speed.add(p.expected_nanoseconds, measured);
  kind_statistics& kind = *p.work->schedule.statistics;
  if (!kind.known()) look_at_all_ = true;  // such tasks may be sent ahead from now on
  kind.add(p.part.count, measured, result_bytes);
  --p.work->schedule.running;
  if (executor_state* executor = find(p.executor())) finish_if_over(*executor, *p.work, out);
  return effects::completion{std::move(p.work), p.part.first, p.part.count, nullptr};
}

void scheduler::on_recalled(worker_index from, const std::vector<piece_id>& ids, time now, effects& out) {
  worker_state& worker = workers_.at(static_cast<std::size_t>(from.value));
  worker.recalling = false;
  note_word_of(from, now);
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {  // so that they go out again in their old order
    const auto at = find(worker, *id);
    if (at == worker.pieces.end()) continue;
    flying_piece p = land(from, at);
    executor_state* executor = find(p.executor());
    if (executor == nullptr) continue;
    if (executor->broken != nullptr) {  // sent out again, it could meet a worker that runs nothing of this executor any more
      fail_piece(*executor, p, executor->broken, out);
    } else {
      executor->returned.push_front(std::move(p));
    }
  }
}

void scheduler::on_shutdown(executor_id id, bool cancel, effects& out) {
  executor_state* executor = find(id);
  if (executor == nullptr) return;
  executor->shut = true;
  for (const job_ptr& work : std::exchange(executor->growing, {})) {
    if (!work->may_grow()) continue;
    work->seal();
    if (!work->schedule.queued && work->available() > 0) {
      work->schedule.sequence = ++sequence_;
      enqueue(*executor, *work);
    }
    finish_if_over(*executor, *work, out);
  }
  if (cancel) {
    executor->cancelled = true;
    for (auto& [priority, level] : executor->queue) {
      for (const auto& work : level) out.abandon.push_back({work, nullptr});
    }
  }
  for (auto& [priority, level] : executor->queue) executor->stale += level.size();
  if (!cancel) purge(*executor, out);
}

void scheduler::on_broken(executor_id id, worker_index where, const std::exception_ptr& why, effects& out) {
  executor_state* executor = find(id);
  if (executor == nullptr) return;
  worker_state& worker = workers_.at(static_cast<std::size_t>(where.value));
  for (std::size_t i = 0; i < worker.pieces.size();) {
    if (worker.pieces[i].executor() != id) {
      ++i;
      continue;
    }
    fail_piece(*executor, land(where, worker.pieces.begin() + static_cast<std::ptrdiff_t>(i)), why, out);
  }
  executor->broken = why;
  fail_queued(*executor, why, out);
}

void scheduler::fail_piece(executor_state& executor, const flying_piece& p, const std::exception_ptr& why, effects& out) {
  --p.work->schedule.running;
  out.completions.push_back({p.work, p.part.first, p.part.count, why});
  finish_if_over(executor, *p.work, out);
}

// Everything of this executor that is on rank 0 fails with `why`.
void scheduler::fail_queued(executor_state& executor, const std::exception_ptr& why, effects& out) {
  for (const flying_piece& p : executor.returned) fail_piece(executor, p, why, out);
  executor.returned.clear();
  std::vector<job_ptr> all;
  for (auto& [priority, level] : executor.queue) all.insert(all.end(), level.begin(), level.end());
  executor.queue.clear();
  executor.stale = 0;
  for (job_ptr& work : std::exchange(executor.growing, {})) {
    if (!work->schedule.queued) all.push_back(std::move(work));
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

void scheduler::on_halt(const std::exception_ptr& why, effects& out) {
  halted_ = why;
  for (const auto& executor : executors_) {
    if (executor->broken == nullptr) executor->broken = why;
    fail_queued(*executor, executor->broken, out);
  }
  for (const worker_index w : busy_) {
    if (!std::exchange(at(w).recalling, true)) out.recalls.push_back({w});
  }
}

void scheduler::on_end(const std::exception_ptr& why, effects& out) {
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    while (!workers_[w].pieces.empty()) {
      flying_piece p = land({static_cast<int>(w)}, workers_[w].pieces.begin());
      --p.work->schedule.running;
      out.completions.push_back({p.work, p.part.first, p.part.count, why});
      if (executor_state* executor = find(p.executor())) finish_if_over(*executor, *p.work, out);
    }
  }
  for (const auto& executor : executors_) fail_queued(*executor, why, out);
}

void scheduler::sanity_check() const {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("scheduler: ") + what);
  };
  std::size_t flying = 0;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    flying += workers_[w].pieces.size();
    std::size_t bytes = 0;
    for (const auto& p : workers_[w].pieces) {
      bytes += p.bytes;
      require(p.work->schedule.running > 0, "a job has a piece at a worker and does not know");
      require(!p.work->schedule.finished, "a finished job has a piece at a worker");
    }
    require(bytes == workers_[w].bytes, "the bytes at a worker are wrong");
  }
  require(flying == in_flight_, "the number of pieces in flight is wrong");
  require(idle_.size() + busy_.size() == workers_.size(), "a worker is lost");
  for (const worker_index w : idle_) require(workers_[static_cast<std::size_t>(w.value)].pieces.empty(), "an idle worker has a piece");
  for (const worker_index w : busy_) require(!workers_[static_cast<std::size_t>(w.value)].pieces.empty(), "a busy worker has no piece");
  const auto stacked = std::count_if(workers_.begin(), workers_.end(), [](const worker_state& w) { return w.pieces.size() > 1; });
  require(static_cast<std::size_t>(stacked) == stacked_, "workers with several pieces are miscounted");
  for (const auto& executor : executors_) {
    int users = 0;
    for (std::size_t w = 0; w < workers_.size(); ++w) {
      const auto here = std::count_if(workers_[w].pieces.begin(), workers_[w].pieces.end(),
                                      [&](const auto& p) { return p.executor() == executor->id; });
      require(here == executor->at[w], "an executor's pieces at a worker are miscounted");
      users += here > 0 ? 1 : 0;
    }
    require(users == executor->users, "an executor's workers are miscounted");
    require(users <= executor->max_workers, "an executor uses more workers than it may");
    for (const auto& [priority, level] : executor->queue) {
      for (std::size_t i = 0; i < level.size(); ++i) {
        require(level[i]->schedule.queued, "a queued job does not know that it is");
        require(level[i]->schedule.priority == priority, "a job is queued at another priority than its own");
        require(i == 0 || level[i - 1]->schedule.sequence < level[i]->schedule.sequence, "a queue is out of order");
      }
    }
  }
}

}  // namespace rankpool::detail
