// The part of a future that does not depend on its result's type.
#include <rankpool/detail/future_state.hpp>

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
  } catch (const pool_closed& e) {
    return std::make_exception_ptr(e);
  } catch (...) {
    return why;
  }
}

}  // namespace

future_state_base::future_state_base(std::shared_ptr<executor_core> owner, task_function run, std::uintptr_t kind)
    : job(run, kind), owner_(std::move(owner)), id_(owner_->next_task_id()) {}

piece future_state_base::cut(std::uint64_t) {
  task_state expected = task_state::pending;
  if (!state_.compare_exchange_strong(expected, task_state::running)) return {};
  return {.first = 0, .count = 1, .payload = std::move(arguments)};
}

void future_state_base::on_outcome(std::uint64_t, std::uint64_t, outcome result) {
  switch (result.what) {
    case outcome::kind::value: become(task_state::finished, std::move(result)); break;
    case outcome::kind::threw:
    case outcome::kind::not_run: become(task_state::failed, std::move(result)); break;
  }
}

void future_state_base::abandon(const std::exception_ptr& why) {
  if (why == nullptr) {
    (void)cancel();
    return;
  }
  task_state expected = task_state::pending;
  if (!state_.compare_exchange_strong(expected, task_state::ending)) return;
  outcome never;
  never.error = why;
  become(task_state::failed, std::move(never));
}

bool future_state_base::cancel() {
  task_state expected = task_state::pending;
  if (!state_.compare_exchange_strong(expected, task_state::ending)) {
    while (state() == task_state::ending) std::this_thread::yield();  // another thread is a few instructions from the end
    return state() == task_state::cancelled;
  }
  become(task_state::cancelled, {});
  owner_->changed(shared_from_this());
  return true;
}

// The one way into a final state; the caller has made sure that nobody else is on it.
void future_state_base::become(task_state end, outcome result) {
  std::vector<callback> callbacks;
  {
    std::lock_guard lock(mutex_);
    arguments = byte_buffer();
    result_ = std::move(result.bytes);
    error_ = result.error == nullptr ? nullptr : own_copy(result.error);
    where_ = std::move(result.where);
    callbacks.swap(callbacks_);
    state_.store(end);
    for (completion_watch* watch : watches_) watch->on_done(*this);
    watches_.clear();
  }
  if (awaited_.load()) owner_->room().notify();
  for (const callback& f : callbacks) run_callback(f);
}

bool future_state_base::poll_done() {
  if (done()) return true;
  if (polled_.exchange(true)) owner_->room().poll();
  return false;
}

void future_state_base::wait_until(steady_time deadline) {
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
    watches_.push_back(&watch);
  }
}

void future_state_base::unwatch(completion_watch& watch) {
  std::lock_guard lock(mutex_);
  std::erase(watches_, &watch);
}

std::exception_ptr future_state_base::error() {
  std::lock_guard lock(mutex_);
  if (error_ == nullptr && where_ != nullptr) {
    byte_reader in(result_);
    try {
      error_ = decode_exception(in, {.rank = where_->rank, .host = where_->host, .task = id_, .type_name = {}, .trace = {}});
    } catch (...) {
      error_ = std::current_exception();
    }
    result_ = byte_buffer();
  }
  return error_;
}

void future_state_base::await_value(const timeout& limit) {
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
    if (error_ == nullptr) error_ = unreadable;
    return error_;
  }
  return nullptr;
}

void future_state_base::add_done_callback(callback f) {
  {
    std::lock_guard lock(mutex_);
    if (!done()) {
      callbacks_.push_back(std::move(f));
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
    f(std::static_pointer_cast<future_state_base>(shared_from_this()));
  } catch (const std::exception& e) {
    log_line("a callback of task " + std::to_string(id_) + " failed: " + e.what());
  } catch (...) {
    log_line("a callback of task " + std::to_string(id_) + " threw an unknown exception");
  }
}

}  // namespace rankpool::detail
