// Defines the part of a future that does not depend on the type of its result.
#include <rankpool/detail/client/future_state.hpp>

#include "support/log.hpp"

#include <deque>
#include <stdexcept>
#include <thread>
#include <utility>

namespace rankpool::detail {

const char* to_string(task_state state) {
  switch (state) {
    case task_state::pending:
    case task_state::requeued: return "pending";
    case task_state::running:
    case task_state::ending: return "running";
    case task_state::finished: return "finished";
    case task_state::failed: return "failed";
    case task_state::cancelled: return "cancelled";
  }
  return "unknown";
}

namespace {

// Returns an address that identifies the calling thread.
const void* this_thread() {
  static thread_local const char place = 0;
  return &place;
}

// Copies the exceptions that an executor or a pool throws when it ends; returns others unchanged. One such exception fails many
// futures. Each future gets its own copy, so that threads that read different futures share no data.
std::exception_ptr own_copy(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const broken_pool& e) {
    return std::make_exception_ptr(e);
  } catch (const stopped_error& e) {
    return std::make_exception_ptr(e);
  } catch (const pool_closed& e) {
    return std::make_exception_ptr(e);
  } catch (...) {
    return why;
  }
}

std::exception_ptr exception_in(byte_reader& in, const worker_place& where, std::uint64_t task) {
  try {
    return decode_exception(in, where, task);
  } catch (...) {
    return std::current_exception();
  }
}

bool is_cancellation(const outcome& result) {
  byte_reader in(result.bytes);
  try {
    std::rethrow_exception(decode_exception(in, {}, 0));
  } catch (const cancelled_error&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

struct future_state_base::extras {
  blocks out_of_band;              // sent with `bytes`
  shared_references references;    // of the arguments, until the task is over
  std::deque<callback> callbacks;  // not called yet, in the order of registration
  const void* calling = nullptr;   // the thread that runs callbacks, as this_thread(); null: none
  std::vector<completion_watch*> watches;
  std::exception_ptr error;             // of a failed task, once decoded; or why the result could not be decoded
  const worker_place* where = nullptr;  // the worker of a task that threw

  // Of a task for which rank 0 decides whether it runs again. After the submission, only the thread that drives the pool uses it,
  // except `arguments`.
  struct retrying {
    enum class phase {
      running,    // also while it is queued
      undecided,  // an attempt has failed, and react() decides what follows
      waiting,    // for the next attempt
    };
    std::shared_ptr<const retry_policy> policy;
    failed_attempts so_far;
    phase is = phase::running;
    outcome failed;                    // the last attempt, if it is undecided or waiting
    std::shared_ptr<block> arguments;  // if they are large, until the task is over; mutex_ guards it
  };
  std::unique_ptr<retrying> retry;
};

void future_state_base::delete_extras::operator()(extras* gone) const noexcept { delete gone; }

blocks_view future_state_base::out_of_band() const {
  return extras_ == nullptr ? blocks_view() : blocks_view(extras_->out_of_band);
}

void future_state_base::attach(blocks&& out_of_band, shared_references&& references) {
  if (!out_of_band.empty()) ensure_extras().out_of_band = std::move(out_of_band);
  if (!references.empty()) ensure_extras().references = std::move(references);
}

digest future_state_base::input() const {
  return digest_of(bytes, out_of_band(), extras_ == nullptr ? std::span<const shared_reference>() : extras_->references);
}

future_state_base::future_state_base(std::shared_ptr<executor_core> owner, code_address run, std::uintptr_t kind)
    : job(run, kind), id_(owner->next_task_id()), owner_(std::move(owner)) {}

chunk future_state_base::cut(std::uint64_t) {
  task_state expected = task_state::pending;
  if (!state_.compare_exchange_strong(expected, task_state::running)) return {};
  std::lock_guard lock(mutex_);  // other threads may be adding callbacks
  chunk p{.first = 0, .count = 1, .payload = {}, .out_of_band = out_of_band(), .kept = {}};
  extras::retrying* const again = schedule.retries_here ? extras_->retry.get() : nullptr;
  if (again != nullptr && again->arguments != nullptr) {
    p.kept = again->arguments;
    p.payload = p.kept->bytes();
  } else if (bytes.size() >= bulk_bytes) {  // the transport may still be reading it when the result arrives
    p.kept = std::make_shared<held<byte_buffer>>(std::move(bytes));
    p.payload = p.kept->bytes();
    if (again != nullptr) again->arguments = p.kept;
  } else {
    p.payload = bytes;
  }
  return p;
}

void future_state_base::retry_by(std::shared_ptr<const retry_policy> policy) {
  auto retry = std::make_unique<extras::retrying>();
  retry->policy = std::move(policy);
  ensure_extras().retry = std::move(retry);
  schedule.retries_here = true;
}

bool future_state_base::awaits_retry() {
  return schedule.retries_here && extras_->retry->is != extras::retrying::phase::running && settled_state() < task_state::finished;
}

void future_state_base::retry(std::uint64_t) {
  extras_->retry->is = extras::retrying::phase::running;
  extras_->retry->failed = {};
  task_state expected = task_state::requeued;
  (void)state_.compare_exchange_strong(expected, task_state::pending);  // unless it was cancelled
}

// Waits until no thread is completing the task, and returns the state. The wait is short. Without it, the pool could count the task
// as finished before done() is true.
task_state future_state_base::settled_state() const {
  task_state now = state();
  while (now == task_state::ending) {
    std::this_thread::yield();
    now = state();
  }
  return now;
}

failed_items future_state_base::failures_in(std::uint64_t first, std::uint64_t count, const outcome& result,
                                            std::size_t most) const {
  if (result.what != outcome::kind::threw || (schedule.aborted && is_cancellation(result))) return {};
  failed_items one{.count = count, .examples = {}};
  byte_reader in(result.bytes);
  if (most > 0) one.examples.push_back({first, exception_in(in, *result.where, id_)});
  return one;
}

void future_state_base::on_requeued(std::uint64_t, std::uint64_t) {
  task_state expected = task_state::running;
  (void)state_.compare_exchange_strong(expected, task_state::requeued);
}

bool future_state_base::is_requeued(std::uint64_t) const { return settled_state() == task_state::requeued; }

bool future_state_base::resume(std::uint64_t) {
  task_state expected = task_state::requeued;
  if (state_.compare_exchange_strong(expected, task_state::running)) return true;
  (void)settled_state();
  return false;
}

bool future_state_base::on_outcome(std::uint64_t, std::uint64_t, outcome&& result) {
  if (schedule.aborted && result.what == outcome::kind::threw && is_cancellation(result)) return become(task_state::cancelled, {});
  if (schedule.retries_here && result.what == outcome::kind::threw) {
    extras_->retry->failed = std::move(result);
    extras_->retry->is = extras::retrying::phase::undecided;
    return true;
  }
  const bool value = result.what == outcome::kind::value;
  return become(value ? task_state::finished : task_state::failed, std::move(result));
}

// Decides what follows a failed attempt. Returns whether callbacks are to be called.
bool future_state_base::decide_retry() {
  using enum extras::retrying::phase;
  extras::retrying& r = *extras_->retry;
  if (r.is != undecided) return true;
  std::optional<std::chrono::nanoseconds> delay;
  if (!schedule.aborted) {
    byte_reader in(r.failed.bytes);
    delay = r.policy->next_attempt(r.so_far, exception_in(in, *r.failed.where, id_));
  }
  if (delay) {
    r.is = waiting;
    state_.store(task_state::requeued);
    if (owner_->retry_later(this, 0, *delay)) return false;
    if (!begin_ending()) return false;  // another thread has cancelled it, and calls the callbacks
  }
  r.is = running;
  const bool has_callbacks = schedule.aborted ? become(task_state::cancelled, {}) : become(task_state::failed, std::move(r.failed));
  owner_->changed(this);
  return has_callbacks;
}

void future_state_base::restore(outcome&& known) {
  state_.store(task_state::ending);
  const bool value = known.what == outcome::kind::value;
  (void)become(value ? task_state::finished : task_state::failed, std::move(known));
}

bool future_state_base::abandon(const std::exception_ptr& why) {
  if (!begin_ending()) return false;
  if (why == nullptr && schedule.retries_here && !schedule.aborted && extras_->retry->is == extras::retrying::phase::waiting) {
    return become(task_state::failed, std::move(extras_->retry->failed));
  }
  outcome never;
  never.error = why;
  return become(why == nullptr ? task_state::cancelled : task_state::failed, std::move(never));
}

// Claims the completion of a task that no worker runs. Returns true if the caller must now complete the task.
bool future_state_base::begin_ending() {
  for (task_state from : {task_state::pending, task_state::requeued}) {
    if (state_.compare_exchange_strong(from, task_state::ending)) return true;
  }
  return false;
}

bool future_state_base::cancel() {
  if (!begin_ending()) return settled_state() == task_state::cancelled;
  if (become(task_state::cancelled, {})) run_callbacks();
  owner_->changed(this);
  return true;
}

bool future_state_base::abort() {
  if (!owner_->is_isolated()) {
    throw std::invalid_argument("cancel_options::force requires an executor with isolation::process");
  }
  if (cancel()) return true;
  if (done()) return false;
  owner_->abort(this);
  return true;
}

future_state_base::extras& future_state_base::ensure_extras() {
  if (extras_ == nullptr) extras_.reset(new extras);
  return *extras_;
}

// Enters a final state; no other function does. Returns whether callbacks are registered. Only the thread that completes the task
// may call it.
bool future_state_base::become(task_state end, outcome&& result) {
  bool called_back = false;
  shared_references released;  // destroyed after the lock is released
  observer.reset();            // before done() is true: the next task with the same arguments may look for this one in the journal
  {
    std::lock_guard lock(mutex_);
    bytes = std::move(result.bytes);
    if (extras_ != nullptr || !result.out_of_band.empty()) ensure_extras().out_of_band = std::move(result.out_of_band);
    if (end == task_state::failed) {
      ensure_extras().error = result.error == nullptr ? nullptr : own_copy(result.error);
      ensure_extras().where = result.where;
    }
    if (extras_ != nullptr && extras_->retry != nullptr) extras_->retry->arguments.reset();
    state_.store(end, std::memory_order_seq_cst);  // before awaited_ is read
    if (extras_ != nullptr) {
      called_back = !extras_->callbacks.empty();
      released.swap(extras_->references);
      for (completion_watch* watch : extras_->watches) watch->on_done(*this);
      extras_->watches.clear();
    }
  }
  if (holds_place_) owner_->on_place_free();
  if (awaited_.load()) owner_->room().notify();
  return called_back;
}

void future_state_base::react() {
  if (!schedule.retries_here || decide_retry()) run_callbacks();
}

void future_state_base::run_callbacks() {
  for (;;) {
    callback next;
    {
      std::lock_guard lock(mutex_);
      extras& e = ensure_extras();
      if (e.callbacks.empty()) {
        e.calling = nullptr;
        return;
      }
      e.calling = this_thread();
      next = std::move(e.callbacks.front());
      e.callbacks.pop_front();
    }
    run_callback(next);
  }
}

bool future_state_base::poll_done() {
  if (done()) return true;
  if (polled_.exchange(true)) owner_->room().poll();
  return false;
}

void future_state_base::wait_until(steady_time deadline) {
  if (done()) return;
  awaited_.store(true);
  if (!owner_->room().wait_until(deadline, [this] { return done(); })) {
    throw timeout_error("task " + std::to_string(id_) + " is not done within the timeout");
  }
}

void future_state_base::watch(completion_watch& watch) {
  awaited_.store(true);
  std::lock_guard lock(mutex_);
  if (done()) {
    watch.on_done(*this);
  } else {
    ensure_extras().watches.push_back(&watch);
  }
}

void future_state_base::unwatch(completion_watch& watch) {
  std::lock_guard lock(mutex_);
  if (extras_ != nullptr) std::erase(extras_->watches, &watch);
}

void future_state_base::drop_encoded() {
  bytes.release();
  if (extras_ != nullptr) extras_->out_of_band = {};
}

void future_state_base::rethrow_unreadable() {
  if (extras_ != nullptr && extras_->error != nullptr) std::rethrow_exception(extras_->error);
}

void future_state_base::keep_unreadable() {
  ensure_extras().error = std::current_exception();
  drop_encoded();
}

std::exception_ptr future_state_base::error() {
  std::lock_guard lock(mutex_);
  extras& e = ensure_extras();
  if (e.error == nullptr && e.where != nullptr) {
    byte_reader in(bytes);
    e.error = exception_in(in, *e.where, id_);
    bytes.release();
  }
  return e.error;
}

void future_state_base::await_other(const timeout& limit) {
  wait_until(deadline_after(limit));
  if (state() == task_state::cancelled) throw cancelled_error("task " + std::to_string(id_) + " was cancelled");
  if (state() == task_state::failed) std::rethrow_exception(error());
}

std::exception_ptr future_state_base::await_exception(const timeout& limit) {
  wait_until(deadline_after(limit));
  if (state() == task_state::cancelled) throw cancelled_error("task " + std::to_string(id_) + " was cancelled");
  if (state() == task_state::failed) return error();
  return materialise();
}

void future_state_base::add_done_callback(callback f) {
  {
    std::lock_guard lock(mutex_);
    const void* const me = this_thread();
    const bool others_first =
        extras_ != nullptr && extras_->calling != me && (extras_->calling != nullptr || !extras_->callbacks.empty());
    if (!done() || others_first) {
      ensure_extras().callbacks.push_back(std::move(f));
      f = nullptr;
    }
  }
  if (f == nullptr) {
    owner_->room().settle();
  } else {
    run_callback(f);
  }
}

void future_state_base::run_callback(const callback& f) {
  try {
    f(this);
  } catch (const std::exception& e) {
    log_line("a callback of task " + std::to_string(id_) + " failed: " + e.what());
  } catch (...) {
    log_line("a callback of task " + std::to_string(id_) + " threw an unknown exception");
  }
}

}  // namespace rankpool::detail
