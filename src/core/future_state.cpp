// The part of a future that does not depend on its result's type.
#include <rankpool/detail/future_state.hpp>

#include "journal/tasks.hpp"
#include "log.hpp"

#include <thread>

namespace rankpool::detail {

const char* to_string(task_state state) {
  switch (state) {
    case task_state::pending: return "pending";
    case task_state::running:
    case task_state::ending: return "running";
    case task_state::finished: return "finished";
    case task_state::failed: return "failed";
    case task_state::cancelled: return "cancelled";
  }
  return "unknown";
}

namespace {

// The end of an executor or of the pool fails many futures with one exception. Each gets its own, so that readers on
// several threads share nothing.
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

}  // namespace

future_state_base::future_state_base(std::shared_ptr<executor_core> owner, task_function run, std::uintptr_t kind)
    : job(run, kind), id_(owner->next_task_id()), owner_(std::move(owner)) {}

piece future_state_base::cut(std::uint64_t) {
  task_state expected = task_state::pending;
  if (!state_.compare_exchange_strong(expected, task_state::running)) return {};
  std::lock_guard lock(mutex_);  // others may be adding callbacks
  piece p{.first = 0, .count = 1, .payload = {}, .beside = beside(), .kept = {}};
  if (bytes.size() >= bulk_bytes) {  // may still be on its way when the result is here
    p.kept = std::make_shared<held<byte_buffer>>(std::move(bytes));
    p.payload = p.kept->bytes();
  } else {
    p.payload = bytes;
  }
  return p;
}

bool future_state_base::on_outcome(std::uint64_t, std::uint64_t, outcome result) {
  if (journalled_) note(result);
  const bool value = result.what == outcome::kind::value;
  return become(value ? task_state::finished : task_state::failed, std::move(result));
}

bool future_state_base::recall(std::shared_ptr<journal_tasks> from) {
  static const keepers nothing;
  const digest input = digest_of(bytes, beside(), extras_ == nullptr ? nothing : extras_->kept);
  outcome known;
  try {
    auto found = from->take(input);
    if (!found) {
      const std::uint64_t item = from->begin(input);
      more().journal = {std::move(from), item, input};
      journalled_ = true;
      return false;
    }
    known = std::move(*found);
  } catch (const journal_error&) {
    known.error = std::current_exception();
  }
  state_.store(task_state::ending);
  (void)become(known.error == nullptr ? task_state::finished : task_state::failed, std::move(known));
  return true;
}

// What cannot be kept is an error.
void future_state_base::note(outcome& result) {
  kept_result kept;
  {
    std::lock_guard lock(mutex_);
    kept = std::move(extras_->journal);
  }
  try {
    kept.tasks->note(kept.item, kept.input, result);
  } catch (...) {
    result = {};
    result.error = std::current_exception();
  }
}

bool future_state_base::abandon(const std::exception_ptr& why) {
  task_state expected = task_state::pending;
  if (!state_.compare_exchange_strong(expected, task_state::ending)) return false;
  outcome never;
  never.error = why;
  return become(why == nullptr ? task_state::cancelled : task_state::failed, std::move(never));
}

bool future_state_base::cancel() {
  task_state expected = task_state::pending;
  if (!state_.compare_exchange_strong(expected, task_state::ending)) {
    while (state() == task_state::ending) std::this_thread::yield();  // another thread is a few instructions from the end
    return state() == task_state::cancelled;
  }
  if (become(task_state::cancelled, {})) react();
  owner_->changed(this);
  return true;
}

future_state_base::extras& future_state_base::more() {
  if (extras_ == nullptr) extras_ = std::make_unique<extras>();
  return *extras_;
}

// The one way into a final state; the caller has made sure that nobody else is on it.
bool future_state_base::become(task_state end, outcome result) {
  bool called_back = false;
  keepers released;  // after the lock
  kept_result unused;
  {
    std::lock_guard lock(mutex_);
    bytes = std::move(result.bytes);
    if (extras_ != nullptr || !result.beside.empty()) more().beside = std::move(result.beside);
    if (end == task_state::failed) {
      more().error = result.error == nullptr ? nullptr : own_copy(result.error);
      more().where = result.where;
    }
    state_.store(end, std::memory_order_seq_cst);  // before awaited_ is looked at
    if (extras_ != nullptr) {
      called_back = !extras_->callbacks.empty();
      released.swap(extras_->kept);
      unused = std::exchange(extras_->journal, {});
      for (completion_watch* watch : extras_->watches) watch->on_done(*this);
      extras_->watches.clear();
    }
  }
  if (awaited_.load()) owner_->room().notify();
  return called_back;
}

void future_state_base::react() {
  for (;;) {
    callback next;
    {
      std::lock_guard lock(mutex_);
      extras& e = more();
      if (e.callbacks.empty()) {
        e.calling = {};
        return;
      }
      e.calling = std::this_thread::get_id();
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
    throw timeout_error("task " + std::to_string(id_) + " is not done: the timeout is up");
  }
}

void future_state_base::watch(completion_watch& watch) {
  awaited_.store(true);
  std::lock_guard lock(mutex_);
  if (done()) {
    watch.on_done(*this);
  } else {
    more().watches.push_back(&watch);
  }
}

void future_state_base::unwatch(completion_watch& watch) {
  std::lock_guard lock(mutex_);
  if (extras_ != nullptr) std::erase(extras_->watches, &watch);
}

std::exception_ptr future_state_base::error() {
  std::lock_guard lock(mutex_);
  extras& e = more();
  if (e.error == nullptr && e.where != nullptr) {
    byte_reader in(bytes);
    try {
      e.error = decode_exception(in, {.rank = e.where->rank, .host = e.where->host, .task = id_, .type_name = {}, .trace = {}});
    } catch (...) {
      e.error = std::current_exception();
    }
    bytes = byte_buffer();
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
  if (auto unreadable = materialise()) {
    std::lock_guard lock(mutex_);
    if (more().error == nullptr) more().error = unreadable;
    return more().error;
  }
  return nullptr;
}

void future_state_base::add_done_callback(callback f) {
  {
    std::lock_guard lock(mutex_);
    const auto me = std::this_thread::get_id();
    const bool others_first =
        extras_ != nullptr && extras_->calling != me && (extras_->calling != std::thread::id() || !extras_->callbacks.empty());
    if (!done() || others_first) {
      more().callbacks.push_back(std::move(f));
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
