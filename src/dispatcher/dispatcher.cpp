#include "dispatcher/dispatcher.hpp"

#include "codec/runner_errors.hpp"
#include "support/log.hpp"
#include "wire/block_description.hpp"

#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/errors.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace rankpool::detail {
namespace {

outcome thrown(const std::exception_ptr& why) {
  outcome result;
  result.what = outcome::kind::threw;
  try {
    std::rethrow_exception(why);
  } catch (...) {
    byte_writer out(result.bytes);
    encode_current_exception(out);
  }
  return result;
}

}  // namespace

dispatcher::dispatcher(transport& link, inbox& events, lifecycle& life, announcer& waiting, dispatch_observer& observer,
                       const std::vector<worker_info>& workers, const dispatcher_options& options)
    : link_(link),
      inbox_(events),
      life_(life),
      waiting_(waiting),
      observer_(observer),
      trace_(options.trace),
      now_(options.now),
      may_send_(options.may_send),
      scheduler_(static_cast<int>(workers.size()), options.scheduling),
      outbox_(link, observer, workers, options.nodes),
      standings_(workers.size()) {
  for (const auto& w : workers) places_.push_back({w.rank, w.host});
}

// ---- a step

bool dispatcher::step() {
  effects out;
  bool moved = false;
  const steady_time now = now_();       // once for all of the step, because reading the clock is slow
  std::optional<observed_step> traced;  // without a trace, a step costs nothing more
  if (trace_ != nullptr) traced.emplace().begin = now;
  const auto note_time = [&](steady_time observed_step::*of) {
    if (traced) *traced.*of = now_();
  };
  try {
    moved = take_events(out);
    if (!retries_.empty()) moved = release_retries(now, out) || moved;
    moved = take_frames(now, out) || moved;
    take_losses(out);
    if (life_.is_grace_period_over(now)) abandon_running_tasks(out);
    note_time(&observed_step::received);
    dispatch(now, out);
    note_time(&observed_step::scheduled);
    moved = moved || !out.empty() || !deliveries_.empty() || !inbox_.empty();
    send_orders(out);
    note_time(&observed_step::sent);
  } catch (...) {  // the jobs must still learn of effects that are decided
    queue_deliveries(out);
    throw;
  }
  queue_deliveries(out);
  deliver();
  if (traced && moved) {
    note_time(&observed_step::end);
    traced->unfinished_jobs = jobs_left_;
    traced->sent_so_far = outbox_.sent();
    traced->received_so_far = received_;
    trace_->on_step(*traced);
  }
  return moved;
}

bool dispatcher::send_submitted() {
  effects out;
  const std::size_t retries_before = retries_.size();  // another thread may sleep, and does not know of new ones
  const steady_time now = now_();
  try {
    (void)take_events(out);
    dispatch(now, out);
    send_orders(out);
  } catch (...) {
    queue_deliveries(out);
    throw;
  }
  queue_deliveries(out);
  return waiting_.has_deferred() || !deliveries_.empty() || !inbox_.empty() || link_.transferring() || !link_.peers_ring() ||
         scheduler_.next_check(now).has_value() || retries_.size() > retries_before;
}

void dispatcher::dispatch(steady_time now, effects& out) {
  is_paused_ = may_send_ != nullptr && !may_send_();
  if (!is_paused_ && !life_.has_ended()) scheduler_.dispatch(now, out);
}

std::optional<steady_time> dispatcher::next_check(steady_time now) const {
  constexpr auto pause = std::chrono::milliseconds(10);
  std::optional<steady_time> next = is_paused_ ? std::optional(now + pause) : scheduler_.next_check(now);
  if (!retries_.empty()) next = std::min(next.value_or(steady_time::max()), retries_.begin()->first);
  return next;
}

std::chrono::nanoseconds dispatcher::may_gather_for(steady_time now) const {
  if (life_.has_ended() || link_.transferring() || link_.unread() || scheduler_.any_idle() || !inbox_.empty()) return {};
  return scheduler_.quiet_for(now);
}

// ---- events

bool dispatcher::take_events(effects& out) {
  inbox_.take(events_);
  const bool any = !events_.empty();
  std::size_t taken = 0;
  const struct forget_taken {  // also when one throws
    std::vector<event>& events;
    const std::size_t& taken;
    ~forget_taken() { events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(taken)); }
  } afterwards{events_, taken};
  while (taken < events_.size()) take(events_[taken++], out);
  return any;
}

void dispatcher::take(event& e, effects& out) {
  if (auto* const submitted = std::get_if<job_submitted>(&e)) return take(*submitted, out);  // by far the most frequent
  std::visit(
      [&](auto& kind) {
        if constexpr (requires { *kind; }) {
          take(*kind, out);
        } else {
          take(kind, out);
        }
      },
      e);
}

void dispatcher::take(job_submitted& e, effects& out) {
  ++jobs_left_;
  if (is_draining_) update_drained();
  if (life_.has_ended()) {
    const executor_id executor = e.work->schedule.executor;
    refuse(executor, std::move(e.work), out);
  } else {
    scheduler_.on_submit(std::move(e.work), out);
  }
}

void dispatcher::take(submitted_everywhere& e, effects& out) {
  jobs_left_ += e.work.size();
  if (is_draining_) update_drained();
  if (life_.has_ended()) {
    for (job_ptr& work : e.work) refuse(e.executor, std::move(work), out);
  } else {
    scheduler_.on_submit_everywhere(e.executor, e.work, out);
  }
}

void dispatcher::refuse(executor_id executor, job_ptr work, effects& out) {
  out.jobs_finished.push_back(executor);
  out.abandon.push_back({std::move(work), end_reason_});
}

void dispatcher::take(const job_changed& e, effects& out) { on_change(*e.work, out); }

void dispatcher::on_change(job& work, effects& out) {
  scheduler_.on_change(work, out);
  if (!work.schedule.retries_here || !work.schedule.finished || retries_.empty()) return;
  std::erase_if(retries_, [&](const auto& waiting) { return waiting.second.first.get() == &work; });  // cancelled while it waited
}

void dispatcher::take(const job_aborted& e, effects& out) { scheduler_.on_abort(*e.work, out); }

void dispatcher::take(const processes_ended& e, effects& out) { scheduler_.on_end_processes(e.executor, e.signal, out); }

void dispatcher::take(executor_opened& e, effects&) {
  scheduler_.on_open(e.executor, e.max_workers, e.runners.crash_limit);
  listener_entry& entry = executors_[e.executor] = {e.listener, std::move(e.initializer), nullptr, e.runners};
  byte_buffer& payload = entry.initializer.payload;
  if (payload.size() >= bulk_bytes) entry.large_payload = std::make_shared<held<byte_buffer>>(std::move(payload));
  if (scheduler_.stop_reason() == nullptr) return;
  if (const auto listener = e.listener.lock()) listener->on_broken(scheduler_.stop_reason());
}

void dispatcher::take(const executor_shut_down& e, effects& out) { scheduler_.on_shutdown(e.executor, e.cancels, out); }

void dispatcher::take(const executor_closed& e, effects& out) {
  scheduler_.on_close(e.executor, out);
  executors_.erase(e.executor);
}

void dispatcher::take(const value_shared& e, effects&) {
  if (!life_.has_ended()) outbox_.share(e.data, e.descriptor);
}

void dispatcher::take(const value_released& e, effects&) {
  if (!life_.has_ended()) outbox_.unshare(e.id);
}

void dispatcher::take(retry_requested& e, effects& out) {
  if (life_.has_ended()) return out.abandon.push_back({std::move(e.work), end_reason_, true});
  if (!scheduler_.on_retry_requested(*e.work, out)) return;
  observer_.on_retry();
  retries_.emplace(now_() + e.delay, std::pair(std::move(e.work), e.first));
}

// Returns whether the delay of at least one part is over.
bool dispatcher::release_retries(steady_time now, effects& out) {
  bool any = false;
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const auto [work, first] = std::move(retries_.begin()->second);
    retries_.erase(retries_.begin());
    work->retry(first);
    scheduler_.on_retry(*work, out);
    any = true;
  }
  return any;
}

void dispatcher::take(const drain_requested&, effects& out) {
  for (const auto& [id, entry] : executors_) scheduler_.on_shutdown(id, false, out);
  is_draining_ = true;
  life_.become(pool_state::draining);  // refused where the run is stopped early: there is nothing to read on for then
  update_drained();
  waiting_.defer();
}

void dispatcher::take(const stop_requested&, effects& out) {
  scheduler_.on_stop(life_.stop_reason(), out);
  break_executors();
}

void dispatcher::take(const end_requested& e, effects& out) {
  if (!life_.has_ended()) end_reason_ = e.why;
  life_.become(pool_state::ending);
  end_running_tasks(out);
  outbox_.stop(e.status, e.ends_processes, scheduler_.usable_workers() < places_.size());
  if (workers_ended_ == places_.size()) life_.become(pool_state::ended);  // all are lost
}

// ---- messages

bool dispatcher::take_frames(steady_time now, effects& out) {
  if (life_.has_failed()) return false;         // a message may be the reason
  constexpr int max_frames = 64;                // then results are delivered and workers fed before more is read
  constexpr std::size_t most_bytes = 16 << 20;  // likewise
  int from = 0;
  int n = 0;
  std::size_t bytes = 0;
  for (frame f; n < max_frames && bytes < most_bytes && link_.receive(from, f); f = {}) {
    ++n;
    const std::size_t size = f.head.size() + total_size(f.bulk);
    bytes += size;
    ++received_.messages;
    received_.bytes += size;
    observer_.on_message_received({from}, size);
    accept({from}, f, now, out);
  }
  return n > 0;
}

void dispatcher::accept(worker_index from, const frame& f, steady_time now, effects& out) {
  frame_reader in(f);
  for (record r; in.next(r);) {
    if (const auto* result = std::get_if<result_record>(&r)) {
      accept(from, *result, now, out);
    } else if (const auto* recalled = std::get_if<recalled_record>(&r)) {
      accept(from, *recalled, out);
    } else if (const auto* failed = std::get_if<open_failed_record>(&r)) {
      accept(from, *failed, out);
    } else if (const auto* here = std::get_if<shared_here_record>(&r)) {
      if (!life_.has_ended()) outbox_.forward(from, *here);
    } else if (const auto* missing = std::get_if<unavailable_record>(&r)) {
      if (!life_.has_ended()) outbox_.forward(from, *missing);
    } else if (const auto* started = std::get_if<started_record>(&r)) {
      scheduler_.on_started(from, started->id);
      if (const auto chunk = scheduler_.chunk_at(from, started->id)) observe(&chunk_observer::on_started, *chunk);
    } else if (const auto* ended = std::get_if<ended_record>(&r)) {
      ended_ = std::chrono::nanoseconds(ended->nanoseconds);
    } else if (const auto* used = std::get_if<usage_record>(&r)) {
      observer_.on_cpu_time(from, used->nanoseconds);
      if (trace_ != nullptr) trace_->on_cpu_time(from, used->nanoseconds);
    } else if (std::holds_alternative<stopped_record>(r)) {
      accept_stopped(from);
    } else {
      throw message_error(std::string("a '") + name_of(r) + "' message came from rank " + std::to_string(place_of(from).rank) +
                          ", which only a worker expects");
    }
  }
}

void dispatcher::accept(worker_index from, const result_record& result, steady_time now, effects& out) {
  const std::chrono::nanoseconds taken(result.nanoseconds);
  const std::chrono::nanoseconds ended = std::exchange(ended_, {});
  const std::size_t bytes = result.payload.size() + total_size(result.out_of_band);
  auto finished = scheduler_.on_result(from, result.id, taken, bytes, now, out);
  if (!finished) return;  // its task was abandoned
  outcome o;
  o.what = result.threw ? outcome::kind::threw : outcome::kind::value;
  if (result.bulk != nullptr) {
    o.bytes = std::move(held_in<byte_buffer>(*result.bulk));  // this message has no other reader
  } else {
    o.bytes.append(result.payload.data(), result.payload.size());
  }
  if (!result.out_of_band.empty()) o.out_of_band.assign(result.out_of_band.begin(), result.out_of_band.end());
  if (std::ranges::any_of(o.out_of_band, [](const auto& b) { return is_remote(*b); })) {
    o = {};
    o.what = outcome::kind::threw;
    o.bytes = encoded_exception(result_not_read());
  }
  o.where = &place_of(from);
  o.taken = taken;
  observe(&chunk_observer::on_finished, {*finished->work, finished->first, finished->count, from.value, ended}, o);
  complete(std::move(finished->work), finished->first, finished->count, std::move(o), out);
}

void dispatcher::accept(worker_index from, const recalled_record& recalled, effects& out) {
  for (const chunk_id id : recalled.ids) {
    if (const auto chunk = scheduler_.chunk_at(from, id)) observe(&chunk_observer::on_recalled, *chunk);
  }
  scheduler_.on_recalled(from, recalled.ids, out, recalled.answers_request);
}

void dispatcher::accept(worker_index from, const open_failed_record& failed, effects& out) {
  const worker_place& place = place_of(from);
  byte_reader bytes(failed.payload.data(), failed.payload.size());
  const auto why = decode_exception(bytes, place, 0);
  const auto broken = std::make_exception_ptr(
      broken_pool("the initializer failed on rank " + std::to_string(place.rank) + " (" + place.host + "): " + describe(why)));
  if (const auto entry = executors_.find(failed.executor); entry != executors_.end()) {
    if (const auto listener = entry->second.listener.lock()) listener->on_broken(broken);
  }
  scheduler_.on_broken(failed.executor, from, broken, out);
}

void dispatcher::accept_stopped(worker_index from) {
  if (!life_.has_ended()) {
    throw message_error("rank " + std::to_string(place_of(from).rank) + " has stopped and was not asked to");
  }
  count_ended(from);
}

void dispatcher::count_ended(worker_index w) {
  standings_[static_cast<std::size_t>(w.value)].has_ended = true;
  if (++workers_ended_ < places_.size() || !life_.has_ended()) return;
  life_.become(pool_state::ended);
  waiting_.defer();
}

// ---- losses

void dispatcher::take_losses(effects& out) {
  while (const auto lost = link_.take_lost()) on_lost(*lost, out);
  if (const auto peer = link_.take_peer_without_descriptors()) {
    const worker_place& place = place_of(worker_index{*peer});
    throw error(closed_descriptors_message("rank " + std::to_string(place.rank) + " (" + place.host + ")"));
  }
}

void dispatcher::on_lost(const lost_peer& lost, effects& out) {
  const worker_index w{lost.peer};
  standing& s = standings_[static_cast<std::size_t>(lost.peer)];
  if (s.has_ended) return;  // its process ends after it has confirmed
  s.is_lost = true;
  const worker_place& place = place_of(w);
  const std::string text = "rank " + std::to_string(place.rank) + " (" + place.host + ") was lost: its process " + lost.cause;
  const worker_lost error(text, {.rank = place.rank, .host = place.host, .signal = lost.signal, .exit_status = lost.exit_status});
  std::uint64_t had = 0;
  for (const observed_chunk& chunk : scheduler_.chunks_at(w)) {
    had += chunk.count;
    observe(&chunk_observer::on_recalled, chunk);
  }
  std::optional<running_item> running;
  if (lost.running) running = {lost.running->task, lost.running->item};
  const std::uint64_t again = scheduler_.on_worker_lost(w, std::make_exception_ptr(error), out, running);
  const char* const subject = again == 1 ? " task runs" : " tasks run";
  observer_.on_lost(place, lost.cause, had);
  if (trace_ != nullptr) trace_->on_lost(place, lost.cause, had);
  if (!life_.has_ended()) outbox_.on_lost(w);
  log_line(text + (again == 0 ? std::string() : "; " + std::to_string(again) + subject + " again"));
  count_ended(w);
  if (scheduler_.usable_workers() == 0) break_executors();
}

// No task is sent any more.
void dispatcher::break_executors() {
  for (const auto& [id, entry] : executors_) {
    if (const auto listener = entry.listener.lock()) listener->on_broken(scheduler_.stop_reason());
  }
}

// ---- orders

void dispatcher::send_orders(effects& out) {
  for (const auto& order : out.open) {
    const listener_entry& entry = executors_.at(order.executor);
    outbox_.open(order.to, order.executor, entry.initializer, entry.large_payload, entry.runners);
  }
  for (const auto& order : out.send) {
    observe(&chunk_observer::on_sent, {*order.work, order.part->first, order.part->count, order.to.value});
    outbox_.send(order, !order.part->out_of_band.empty() && executors_.at(order.executor).runners.isolated != 0);
  }
  for (const auto& order : out.recalls) outbox_.recall(order.to);
  for (const auto& order : out.aborts) outbox_.abort(order.to, order.id);
  for (const auto& order : out.ends) outbox_.end_process(order.to, order.executor, order.signal);
  if (!life_.has_ended()) {  // else the workers have been told to end
    for (const auto& order : out.close) outbox_.close(order.to, order.executor);
  }
  outbox_.flush();
  has_idle_worker_.store(scheduler_.any_idle(), std::memory_order_relaxed);
}

// ---- completions

void dispatcher::complete(job_ptr work, std::uint64_t first, std::uint64_t count, outcome&& result, effects& out) {
  const bool reacts = work->on_outcome(first, count, std::move(result));
  if (work->schedule.retries_here) on_change(*work, out);  // it may be over
  if (reacts) deliveries_.push_back({std::move(work), 0, 0});
}

void dispatcher::queue_deliveries(effects& out) {
  for (auto& c : out.completions) {
    life_.note_left_out(c.error);
    if (c.abandoned_at) observe(&chunk_observer::on_abandoned, {*c.work, c.first, c.count, c.abandoned_at->value});
    if (c.lost_at) {
      outcome lost = thrown(c.error);
      lost.where = &place_of(*c.lost_at);
      observe(&chunk_observer::on_finished, {*c.work, c.first, c.count, c.lost_at->value}, lost);
    }
    outcome never;
    never.error = std::move(c.error);
    complete(std::move(c.work), c.first, c.count, std::move(never), out);
  }
  out.completions.clear();
  for (const auto& [work, why, awaited_retry] : out.abandon) {
    if (work->available() > 0 || awaited_retry) life_.note_left_out(why);
    if (work->abandon(why)) deliveries_.push_back({work, 0, 0});
  }
  for (const auto& abandoned : std::exchange(out.abandon, {})) {
    on_change(*abandoned.work, out);  // the first clears the queue of all
  }
  for (const executor_id id : out.jobs_finished) {  // mostly long runs of one executor
    if (!deliveries_.empty() && deliveries_.back().finished > 0 && deliveries_.back().executor == id) {
      ++deliveries_.back().finished;
    } else {
      deliveries_.push_back({nullptr, id, 1});
    }
  }
  out.jobs_finished.clear();
}

void dispatcher::deliver() {
  while (!deliveries_.empty()) {
    const delivery d = std::move(deliveries_.front());
    deliveries_.pop_front();
    if (d.calls_back != nullptr) {
      waiting_.announce_deferred();  // the callback may take long
      if (!life_.is_exiting()) d.calls_back->react();
      continue;
    }
    if (const auto entry = executors_.find(d.executor); entry != executors_.end()) {
      if (const auto listener = entry->second.listener.lock()) listener->on_jobs_finished(d.finished);
    }
    jobs_left_ -= d.finished;
    if (!is_draining_) continue;
    update_drained();
    if (is_drained_) waiting_.defer();
  }
  waiting_.announce_deferred();
}

// ---- the end

// A driver sleeps for at most 0.1 s, so this is at most 0.1 s late.
void dispatcher::abandon_running_tasks(effects& out) {
  if (!scheduler_.busy()) return;
  end_reason_ = life_.stop_reason();
  if (!life_.become(pool_state::ending)) return;
  life_.note_abandoned_tasks();
  const auto seconds = std::chrono::duration<double>(life_.grace_period()).count();
  std::ostringstream text;
  text << "stopped early: tasks still ran after the grace period of " << seconds << " s and were abandoned";
  log_line(text.str());
  end_running_tasks(out);
}

// The workers may still run tasks. What these read from this process lives as long as the pool.
void dispatcher::end_running_tasks(effects& out) {
  scheduler_.on_end(end_reason_, out);
  std::ranges::move(out.still_read, std::back_inserter(still_read_));
}

void dispatcher::close() {
  inbox_.close();
  effects out;
  (void)take_events(out);
  retries_.clear();  // a job refers to the pool: what is left here would keep both
  queue_deliveries(out);
  deliver();
}

// An internal error of the pool. All futures fail and all waiting threads are notified, so that none blocks forever.
void dispatcher::fail(const std::exception_ptr& why) {
  if (!life_.become(pool_state::failed)) return;
  log_line("the pool has failed: " + describe(why));
  end_reason_ = std::make_exception_ptr(broken_pool("the pool has failed: " + describe(why)));
  effects out;
  scheduler_.on_end(end_reason_, out);
  queue_deliveries(out);
  close();
  waiting_.announce();
}

}  // namespace rankpool::detail
