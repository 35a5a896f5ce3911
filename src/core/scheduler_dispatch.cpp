// What is given out: which worker has room, whose turn it is, how much of a job makes a piece, and what is called back.
#include "scheduler.hpp"

#include "frame.hpp"

#include <algorithm>
#include <cmath>

namespace rankpool::detail {

// An executor that may not have all workers keeps to those it has begun on, as long as one of them is free: their
// initializer has run, and what tasks have left there is found again.
bool scheduler::may_use(const executor_state& executor, worker_index w) const {
  const auto place = static_cast<std::size_t>(w.value);
  if (executor.at[place] > 0) return true;
  if (executor.users >= executor.max_workers) return false;
  if (executor.opened[place] || static_cast<std::size_t>(executor.max_workers) >= workers_.size()) return true;
  return std::none_of(executor.homes.begin(), executor.homes.end(), [&](std::size_t home) { return workers_[home].pieces.empty(); });
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
    executor.homes.push_back(place);
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
    const bool was_cut = p.part.count > 0;
    if (was_cut) {
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
    } else if (was_cut && best_job->may_grow()) {  // it may read on for ever: its equals get their turn in between
      level.pop_front();
      best_job->schedule.sequence = ++sequence_;
      level.push_back(std::move(best_job));
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

}  // namespace rankpool::detail
