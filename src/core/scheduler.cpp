#include "scheduler.hpp"

#include "frame.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

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
}

scheduler::scheduler(int workers, scheduling_policy policy) : policy_(policy), workers_(static_cast<std::size_t>(workers)) {
  // Rank 0 spends some microseconds on each piece: with many workers, pieces must last longer.
  policy_.window = std::max(policy_.window, std::chrono::nanoseconds(std::chrono::microseconds(20)) * workers);
  policy_.longest_piece = std::max(policy_.longest_piece, policy_.window);
}

scheduler::executor_state* scheduler::find(executor_id id) {
  const auto found = std::find_if(executors_.begin(), executors_.end(), [&](const auto& e) { return e->id == id; });
  return found == executors_.end() ? nullptr : found->get();
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
  executors_.push_back(std::move(executor));
}

void scheduler::on_close(executor_id id) {
  std::erase_if(executors_, [&](const auto& e) { return e->id == id; });
}

void scheduler::on_submit(executor_id id, std::shared_ptr<job> work, int priority, effects& out) {
  executor_state* executor = find(id);
  if (executor == nullptr) throw std::logic_error("scheduler: a job of an unknown executor");
  work->schedule.priority = priority;
  work->schedule.sequence = ++sequence_;
  work->schedule.statistics = statistics_of(*work);
  if (work->may_grow()) {
    std::erase_if(executor->growing, [](const auto& j) { return j.expired(); });
    executor->growing.push_back(work);
    if (executor->shut) work->seal();
  }
  if (work->available() > 0) {
    enqueue(*executor, work);
  } else {
    finish_if_over(*executor, *work, out);
  }
}

void scheduler::on_change(executor_id id, const std::shared_ptr<job>& work, effects& out) {
  executor_state* executor = find(id);
  if (executor == nullptr || work->schedule.finished || work->schedule.sequence == 0) return;
  const bool available = work->available() > 0;
  if (work->schedule.queued) {
    if (!available) ++executor->stale;
    purge(*executor, out);
  } else if (available) {
    enqueue(*executor, work);
  } else {
    finish_if_over(*executor, *work, out);
  }
}

void scheduler::enqueue(executor_state& executor, const std::shared_ptr<job>& work) {
  auto& level = executor.queue[work->schedule.priority];
  work->schedule.queued = true;
  // Nearly always at the end; a map whose input has caught up goes back to its old place.
  auto at = level.end();
  while (at != level.begin() && (*std::prev(at))->schedule.sequence > work->schedule.sequence) --at;
  level.insert(at, work);
}

// Drops cancelled jobs from the middle of the queue once they are many, or when somebody waits for the end.
void scheduler::purge(executor_state& executor, effects& out) {
  std::size_t queued = 0;
  for (const auto& [priority, level] : executor.queue) queued += level.size();
  if (executor.stale == 0 || (!executor.shut && executor.stale * 2 < queued)) return;
  for (auto& [priority, level] : executor.queue) {
    std::erase_if(level, [&](const std::shared_ptr<job>& work) {
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
  out.jobs_finished.push_back(executor.id);
}

scheduler::flying_piece scheduler::land(worker_index w, std::deque<flying_piece>::iterator at) {
  worker_state& worker = workers_[static_cast<std::size_t>(w.value)];
  flying_piece p = std::move(*at);
  worker.pieces.erase(at);
  worker.nanoseconds = worker.pieces.empty() ? 0 : worker.nanoseconds - p.expected_nanoseconds;
  worker.bytes -= p.bytes();
  --in_flight_;
  if (executor_state* executor = find(p.executor)) {
    if (--executor->at[static_cast<std::size_t>(w.value)] == 0) --executor->users;
  }
  return p;
}

std::optional<effects::completion> scheduler::on_result(worker_index from, piece_id id, std::chrono::nanoseconds taken,
                                                        std::size_t result_bytes, time now, effects& out) {
  worker_state& worker = workers_.at(static_cast<std::size_t>(from.value));
  const auto at = std::find_if(worker.pieces.begin(), worker.pieces.end(), [&](const flying_piece& p) { return p.id == id; });
  if (at == worker.pieces.end()) return std::nullopt;
  flying_piece p = land(from, at);
  worker.heard = now;
  const auto measured = static_cast<double>(taken.count());
  if (p.expected_nanoseconds > 0 && measured > 0) {
    const double ratio = std::clamp(measured / (p.expected_nanoseconds / worker.slowness), 0.01, 100.0);
    worker.slowness = std::clamp(0.9 * worker.slowness + 0.1 * ratio, 0.1, 10.0);
  }
  p.work->schedule.statistics->add(p.part.count, measured, result_bytes);
  --p.work->schedule.running;
  effects::completion done{p.work, p.part.first, p.part.count, nullptr};
  if (executor_state* executor = find(p.executor)) finish_if_over(*executor, *p.work, out);
  return done;
}

void scheduler::on_recalled(worker_index from, const std::vector<piece_id>& ids, time now, effects&) {
  worker_state& worker = workers_.at(static_cast<std::size_t>(from.value));
  worker.recalling = false;
  worker.heard = now;
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {  // so that they go out again in their old order
    const auto at = std::find_if(worker.pieces.begin(), worker.pieces.end(), [&](const flying_piece& p) { return p.id == *id; });
    if (at == worker.pieces.end()) continue;
    flying_piece p = land(from, at);
    if (executor_state* executor = find(p.executor)) executor->returned.push_front(std::move(p));
  }
}

void scheduler::on_shutdown(executor_id id, bool cancel, effects& out) {
  executor_state* executor = find(id);
  if (executor == nullptr) return;
  executor->shut = true;
  for (const auto& weak : executor->growing) {
    if (const auto work = weak.lock(); work != nullptr && work->may_grow()) {
      work->seal();
      if (!work->schedule.queued && work->available() > 0) enqueue(*executor, work);
      finish_if_over(*executor, *work, out);
    }
  }
  executor->growing.clear();
  if (cancel) {
    for (auto& [priority, level] : executor->queue) {
      for (const auto& work : level) out.abandon.push_back({work, id, nullptr});
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
    if (worker.pieces[i].executor != id) {
      ++i;
      continue;
    }
    flying_piece p = land(where, worker.pieces.begin() + static_cast<std::ptrdiff_t>(i));
    --p.work->schedule.running;
    out.completions.push_back({p.work, p.part.first, p.part.count, why});
    finish_if_over(*executor, *p.work, out);
  }
  fail_queued(*executor, why, out);
}

// Everything of this executor that is on rank 0 fails with `why`.
void scheduler::fail_queued(executor_state& executor, const std::exception_ptr& why, effects& out) {
  for (auto& p : executor.returned) {
    --p.work->schedule.running;
    out.completions.push_back({p.work, p.part.first, p.part.count, why});
    finish_if_over(executor, *p.work, out);
  }
  executor.returned.clear();
  std::vector<std::shared_ptr<job>> all;
  for (auto& [priority, level] : executor.queue) all.insert(all.end(), level.begin(), level.end());
  executor.queue.clear();
  executor.stale = 0;
  for (const auto& weak : executor.growing) {
    if (auto work = weak.lock(); work != nullptr && !work->schedule.queued) all.push_back(std::move(work));
  }
  executor.growing.clear();
  for (const auto& work : all) {
    work->schedule.queued = false;
    out.abandon.push_back({work, executor.id, why});
    if (!work->schedule.finished && work->schedule.running == 0) {
      work->schedule.finished = true;
      out.jobs_finished.push_back(executor.id);
    }
  }
}

void scheduler::on_end(const std::exception_ptr& why, effects& out) {
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    while (!workers_[w].pieces.empty()) {
      flying_piece p = land({static_cast<int>(w)}, workers_[w].pieces.begin());
      --p.work->schedule.running;
      out.completions.push_back({p.work, p.part.first, p.part.count, why});
      if (executor_state* executor = find(p.executor)) finish_if_over(*executor, *p.work, out);
    }
  }
  for (const auto& executor : executors_) fail_queued(*executor, why, out);
}

// ---- giving out

bool scheduler::may_use(const executor_state& executor, worker_index w) const {
  return executor.at[static_cast<std::size_t>(w.value)] > 0 || executor.users < executor.max_workers;
}

// The first job of an executor that has something to cut; what has nothing leaves the queue on the way.
std::shared_ptr<job> scheduler::head(executor_state& executor, effects& out) {
  while (!executor.queue.empty()) {
    auto level = executor.queue.begin();
    while (!level->second.empty()) {
      const std::shared_ptr<job>& front = level->second.front();
      if (front->available() > 0) return front;
      const std::shared_ptr<job> gone = front;
      level->second.pop_front();
      gone->schedule.queued = false;
      if (executor.stale > 0) --executor.stale;
      finish_if_over(executor, *gone, out);
    }
    executor.queue.erase(level);
  }
  return nullptr;
}

bool scheduler::has_room(const worker_state& worker, const job& work, time now) const {
  if (worker.pieces.empty()) return true;
  if (now - worker.heard >= policy_.recall_after) return false;  // something there takes longer than it should
  if (worker.recalling || worker.pieces.size() >= policy_.most_pieces || worker.bytes >= policy_.most_bytes) return false;
  const kind_statistics& kind = *work.schedule.statistics;
  if (!kind.known() || kind.nanoseconds_per_item() > static_cast<double>(policy_.longest_ahead.count())) return false;
  const bool unknown_ahead = worker.pieces.back().expected_nanoseconds <= 0;
  return !unknown_ahead && worker.nanoseconds < static_cast<double>(policy_.window.count());
}

// How many items of `work` a worker is given at once.
std::uint64_t scheduler::share(const executor_state& executor, const worker_state& worker, job& work) const {
  if (work.chunksize > 0) return work.chunksize;
  const kind_statistics& kind = *work.schedule.statistics;
  if (!kind.known()) return 1;
  const double users = std::min<double>(executor.max_workers, static_cast<double>(workers_.size()));
  const auto available = static_cast<double>(work.available());
  const double each = std::max(kind.nanoseconds_per_item() * worker.slowness, 0.1);
  const double target = std::clamp(available * each / (users * 16), static_cast<double>(policy_.window.count()) / 2,
                                   static_cast<double>(policy_.longest_piece.count()));
  double items = std::min(target / each, std::ceil(available / (users * 2)));
  if (kind.result_bytes_per_item() > 0) items = std::min(items, static_cast<double>(1 << 20) / kind.result_bytes_per_item());
  return static_cast<std::uint64_t>(std::max(items, 1.0));
}

void scheduler::send(executor_state& executor, worker_index w, flying_piece p, time now, effects& out) {
  worker_state& worker = workers_[static_cast<std::size_t>(w.value)];
  const auto place = static_cast<std::size_t>(w.value);
  if (worker.pieces.empty()) worker.heard = now;
  if (!executor.opened[place]) {
    executor.opened[place] = true;
    out.open.push_back({w, executor.id});
  }
  if (executor.at[place]++ == 0) ++executor.users;
  const kind_statistics& kind = *p.work->schedule.statistics;
  p.expected_nanoseconds =
      kind.known() ? std::max(kind.nanoseconds_per_item() * static_cast<double>(p.part.count) * worker.slowness, 1.0) : 0;
  worker.nanoseconds += p.expected_nanoseconds;
  worker.bytes += p.bytes();
  ++in_flight_;
  worker.pieces.push_back(std::move(p));
  const flying_piece& sent = worker.pieces.back();
  out.send.push_back({w, sent.id, executor.id, sent.work->function, &sent.part.payload, sent.bulk});
}

void scheduler::fill(worker_index w, std::size_t most, time now, effects& out) {
  worker_state& worker = workers_[static_cast<std::size_t>(w.value)];
  std::size_t singles = 0;  // tasks given in this turn; the others are to get some as well
  std::size_t most_singles = 0;
  for (std::size_t given = 0; given < most;) {
    executor_state* best = nullptr;
    std::shared_ptr<job> best_job;
    bool from_returned = false;
    for (const auto& executor : executors_) {
      if (!may_use(*executor, w)) continue;
      const bool returned = !executor->returned.empty();
      std::shared_ptr<job> candidate = returned ? executor->returned.front().work : head(*executor, out);
      if (candidate == nullptr) continue;
      const auto rank = [](const job& j) { return std::pair(-static_cast<long>(j.schedule.priority), j.schedule.sequence); };
      if (best == nullptr || rank(*candidate) < rank(*best_job)) {
        best = executor.get();
        best_job = std::move(candidate);
        from_returned = returned;
      }
    }
    if (best == nullptr || !has_room(worker, *best_job, now)) return;
    if (from_returned) {
      flying_piece p = std::move(best->returned.front());
      best->returned.pop_front();
      p.id = next_piece_++;
      send(*best, w, std::move(p), now, out);
      ++given;
      continue;
    }
    auto& level = best->queue.at(best_job->schedule.priority);
    if (most_singles == 0) {
      const auto users = std::min<std::size_t>(static_cast<std::size_t>(best->max_workers), workers_.size());
      most_singles = std::max<std::size_t>(1, level.size() / (2 * users));
    }
    if (singles == most_singles) return;
    flying_piece p;
    p.part = best_job->cut(share(*best, worker, *best_job));
    if (p.part.count > 0) {
      ++singles;
      ++given;
      ++best_job->schedule.running;
      p.id = next_piece_++;
      p.executor = best->id;
      p.work = best_job;
      if (p.part.payload.size() >= bulk_bytes) {
        p.bulk = std::make_shared<byte_buffer>(std::move(p.part.payload));
      }
      send(*best, w, std::move(p), now, out);
    }
    if (best_job->available() == 0) {
      level.pop_front();
      best_job->schedule.queued = false;
      if (level.empty()) best->queue.erase(best_job->schedule.priority);
      finish_if_over(*best, *best_job, out);
    }
  }
}

void scheduler::dispatch(time now, effects& out) {
  const std::size_t n = workers_.size();
  for (const bool first : {true, false}) {  // everybody gets something before anybody gets more
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t w = (turn_ + i) % n;
      if (!first || workers_[w].pieces.empty()) fill({static_cast<int>(w)}, first ? 1 : policy_.most_pieces, now, out);
    }
  }
  if (n > 0) turn_ = (turn_ + 1) % n;
  recall_where_stuck(now, out);
}

bool scheduler::any_idle() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const worker_state& w) { return w.pieces.empty(); });
}

void scheduler::recall_where_stuck(time now, effects& out) {
  if (!any_idle()) return;
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    worker_state& worker = workers_[w];
    if (worker.recalling || worker.pieces.size() < 2 || now - worker.heard < policy_.recall_after) continue;
    worker.recalling = true;
    out.recalls.push_back({{static_cast<int>(w)}});
  }
}

std::optional<scheduler::time> scheduler::next_check(time now) const {
  if (!any_idle()) return std::nullopt;
  const bool stuck = std::any_of(workers_.begin(), workers_.end(),
                                 [](const worker_state& w) { return !w.recalling && w.pieces.size() > 1; });
  return stuck ? std::optional(now + policy_.recall_after) : std::nullopt;
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
      bytes += p.bytes();
      require(p.work->schedule.running > 0, "a job has a piece at a worker and does not know");
      require(!p.work->schedule.finished, "a finished job has a piece at a worker");
    }
    require(bytes == workers_[w].bytes, "the bytes at a worker are wrong");
  }
  require(flying == in_flight_, "the number of pieces in flight is wrong");
  for (const auto& executor : executors_) {
    int users = 0;
    for (std::size_t w = 0; w < workers_.size(); ++w) {
      const auto here = std::count_if(workers_[w].pieces.begin(), workers_[w].pieces.end(),
                                      [&](const auto& p) { return p.executor == executor->id; });
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
