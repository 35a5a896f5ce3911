// What is given out: which worker has room, whose turn it is, how much of a job makes a piece, and what is called back.
#include "scheduler.hpp"

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
  return std::none_of(executor.homes.begin(), executor.homes.end(),
                      [&](worker_index home) { return workers_[static_cast<std::size_t>(home.value)].pieces.empty(); });
}

// The first job of an executor that has something to cut; what has nothing leaves the queue on the way.
job* scheduler::head(executor_state& executor, effects& out) {
  while (!executor.queue.empty()) {
    auto level = executor.queue.begin();
    while (!level->second.empty()) {
      job& front = *level->second.front();
      if (front.available() > 0) return &front;
      const job_ptr gone = std::move(level->second.front());
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
  const std::size_t most = std::min(policy_.most_pieces, policy_.first_pieces + 4 * worker.returned);
  if (worker.recalling || worker.pieces.size() >= most || worker.bytes >= policy_.most_bytes) return false;
  const kind_statistics& kind = *work.schedule.statistics;
  if (!kind.known() || kind.nanoseconds_per_item() > static_cast<double>(policy_.longest_ahead.count())) return false;
  if (worker.pieces.back().expected_nanoseconds <= 0) return false;
  return worker.pieces.size() == 1 || worker.nanoseconds() < ahead_nanoseconds_;  // one is always ahead
}

// How many items of `work` a worker is given at once.
std::uint64_t scheduler::share(const executor_state& executor, const worker_state& worker, job& work) const {
  if (const auto given = work.chunksize(); given > 0) return given;
  const kind_statistics& kind = *work.schedule.statistics;
  if (!kind.known()) return 1;
  const double users = std::min<double>(executor.max_workers, static_cast<double>(workers_.size()));
  const auto available = static_cast<double>(work.available());
  const double each = std::max(kind.nanoseconds_per_item() * worker.speed.slowness(), 0.1);
  const double target = std::clamp(available * each / (users * 16), static_cast<double>(policy_.window.count()) / 2,
                                   static_cast<double>(policy_.longest_piece.count()));
  double items = std::min(target / each, std::ceil(available / (users * 2)));
  if (kind.result_bytes_per_item() > 0) items = std::min(items, static_cast<double>(1 << 20) / kind.result_bytes_per_item());
  return static_cast<std::uint64_t>(std::max(items, 1.0));
}

void scheduler::send(executor_state& executor, worker_index w, flying_piece p, time now, effects& out) {
  worker_state& worker = at(w);
  const auto place = static_cast<std::size_t>(w.value);
  if (worker.pieces.empty()) {
    if (now - worker.heard >= policy_.recall_after) worker.returned = 0;
    worker.heard = now;
  }
  if (!executor.opened[place]) {
    executor.opened[place] = true;
    executor.homes.push_back(w);
    out.open.push_back({w, executor.id});
  }
  if (executor.at[place]++ == 0) ++executor.users;
  const kind_statistics& kind = *p.work->schedule.statistics;
  p.expected_nanoseconds =
      kind.known() ? std::max(kind.nanoseconds_per_item() * static_cast<double>(p.part.count), 1.0) : 0;
  worker.expected_nanoseconds += p.expected_nanoseconds;
  p.bytes = p.part.payload.size() + total_size(p.part.beside);
  worker.bytes += p.bytes;
  ++in_flight_;
  if (worker.pieces.empty()) busy_.splice(busy_.end(), idle_, worker.place);
  if (worker.pieces.size() == 1) ++stacked_;
  worker.pieces.push_back(std::move(p));
  const flying_piece& sent = worker.pieces.back();
  out.send.push_back({w, sent.id, executor.id, sent.work->function, sent.part.payload,
                      sent.part.payload.size() >= bulk_bytes ? sent.part.kept : nullptr, sent.part.beside});
}

// Whose turn it is at this worker: of the jobs and returned pieces that are first in their executors, the one before
// all others. `rival` is the next one's place, up to which the same executor may go on.
scheduler::turn scheduler::next_turn(worker_index w, effects& out) {
  turn next;
  for (const auto& executor : executors_) {
    if (!may_use(*executor, w)) continue;
    const bool returned = !executor->returned.empty();
    job* const candidate = returned ? executor->returned.front().work.get() : head(*executor, out);
    if (candidate == nullptr) continue;
    const auto at = place_of(*candidate);
    if (next.work == nullptr || at < place_of(*next.work)) {
      if (next.work != nullptr) next.rival = place_of(*next.work);
      next.executor = executor.get();
      next.work = candidate;
      next.returned = returned;
    } else {
      next.rival = std::min(next.rival, at);
    }
  }
  return next;
}

void scheduler::fill(worker_index w, std::size_t most, time now, effects& out) {
  worker_state& worker = at(w);
  std::size_t cuts = 0;  // in this turn; the others are to get some as well
  std::size_t most_cuts = 0;
  for (std::size_t given = 0; given < most;) {
    const turn next = next_turn(w, out);
    if (next.work == nullptr || !has_room(worker, *next.work, now)) return;
    executor_state& executor = *next.executor;
    if (next.returned) {
      flying_piece p = std::move(executor.returned.front());
      executor.returned.pop_front();
      p.id = next_piece_++;
      send(executor, w, std::move(p), now, out);
      ++given;
      continue;
    }
    if (most_cuts == 0) {
      const auto users = std::min<std::size_t>(static_cast<std::size_t>(executor.max_workers), workers_.size());
      most_cuts = std::max<std::size_t>(1, executor.queue.begin()->second.size() / (2 * users));
    }
    for (job* work = next.work;;) {
      if (cuts == most_cuts) return;
      if (cut(executor, *work, w, now, out)) {
        ++cuts;
        ++given;
      }
      work = given < most ? head(executor, out) : nullptr;
      if (work == nullptr || next.rival < place_of(*work) || !has_room(worker, *work, now)) break;
    }
  }
}

// Sends a piece of the first job in an executor's queue; false if there was nothing to cut after all.
bool scheduler::cut(executor_state& executor, job& work, worker_index w, time now, effects& out) {
  auto& level = executor.queue.begin()->second;
  flying_piece p;
  p.part = work.cut(share(executor, workers_[static_cast<std::size_t>(w.value)], work));
  const bool any = p.part.count > 0;
  const bool emptied = work.available() == 0;
  if (any) {
    ++work.schedule.running;
    p.id = next_piece_++;
    if (emptied) {
      p.work = std::move(level.front());
    } else {
      p.work = level.front();
    }
    send(executor, w, std::move(p), now, out);
  }
  if (emptied) {
    const job_ptr gone = std::move(level.front());  // if it is not at the worker
    level.pop_front();
    work.schedule.queued = false;
    if (level.empty()) executor.queue.erase(executor.queue.begin());
    if (!any) finish_if_over(executor, work, out);
  } else if (any && work.may_grow()) {  // it may read on for ever: its equals get their turn in between
    job_ptr first = std::move(level.front());
    level.pop_front();
    work.schedule.sequence = ++sequence_;
    level.push_back(std::move(first));
  }
  return any;
}

void scheduler::dispatch(time now, effects& out) {
  give_to_idle(now, out);  // everybody gets something before anybody gets more
  give_ahead(now, out);
  recall_where_stuck(now, out);
}

bool scheduler::anything_to_give(effects& out) {
  return std::any_of(executors_.begin(), executors_.end(),
                     [&](const auto& e) { return !e->returned.empty() || head(*e, out) != nullptr; });
}

void scheduler::give_to_idle(time now, effects& out) {
  for (auto w = idle_.begin(); w != idle_.end() && anything_to_give(out);) {
    const worker_index next = *w++;  // it leaves the list if it is given something
    fill(next, 1, now, out);
  }
}

void scheduler::give_ahead(time now, effects& out) {
  std::size_t to_look_at = busy_.size();
  if (look_at_all_) {
    while (to_look_at-- > 0 && anything_to_give(out)) {
      const worker_index first = busy_.front();
      busy_.splice(busy_.end(), busy_, busy_.begin());  // next time the others come first
      fill(first, policy_.most_pieces, now, out);
    }
  } else {
    for (const worker_index w : heard_from_) {
      if (!anything_to_give(out)) break;
      if (!at(w).pieces.empty()) fill(w, policy_.most_pieces, now, out);
    }
  }
  for (const worker_index w : heard_from_) at(w).heard_from = false;
  heard_from_.clear();
  look_at_all_ = !anything_to_give(out);  // what comes then finds everybody with what room they have
}

void scheduler::recall_where_stuck(time now, effects& out) {
  if (!any_idle() || stacked_ == 0 || now - recalls_checked_ < policy_.recall_after / 4) return;
  recalls_checked_ = now;
  for (const worker_index w : busy_) {
    worker_state& worker = at(w);
    if (worker.recalling || worker.pieces.size() < 2 || now - worker.heard < policy_.recall_after) continue;
    worker.recalling = true;
    out.recalls.push_back({w});
  }
}

std::optional<scheduler::time> scheduler::next_check(time now) const {
  return any_idle() && stacked_ > 0 ? std::optional(now + policy_.recall_after) : std::nullopt;
}

std::chrono::nanoseconds scheduler::quiet_for(time now) const {
  constexpr std::size_t many = 1000;  // one of them is always about to
  if (in_flight_ == 0 || busy_.size() > many) return {};
  double least = std::numeric_limits<double>::max();
  for (const worker_index index : busy_) {
    const worker_state& w = workers_[static_cast<std::size_t>(index.value)];
    const auto passed = std::chrono::duration<double, std::nano>(now - w.heard).count();
    least = std::min(least, w.nanoseconds() - passed);
    if (least <= 0) return {};
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(least, 1e9)));
}

}  // namespace rankpool::detail
