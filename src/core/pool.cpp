#include "pool.hpp"

#include "log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rankpool::detail {

pool::pool(std::unique_ptr<transport> link, std::vector<worker_info> workers, pool_options options)
    : link_(std::move(link)),
      workers_(std::move(workers)),
      options_(options),
      scheduler_(static_cast<int>(workers_.size()), options.scheduling),
      outboxes_(workers_.size()),
      cpu_nanoseconds_(workers_.size()) {
  for (const auto& w : workers_) places_.push_back({w.rank, w.host});
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    const bool first = std::none_of(leaders_.begin(), leaders_.end(), [&](std::size_t l) { return node_of(l) == node_of(w); });
    if (node_of(w) != 0 && first) leaders_.push_back(w);
  }
  if (options_.progress_thread) progress_thread_ = std::thread([this] { progress(); });
}

pool::~pool() { leave(); }

cluster_statistics pool::statistics() const {
  return {.tasks = tasks_finished_.load(std::memory_order_relaxed),
          .cpu_time = std::chrono::nanoseconds(all_cpu_nanoseconds_.load(std::memory_order_relaxed))};
}

// Ends the progress thread and lets go of the transport, which must not outlive MPI.
void pool::leave() {
  {
    std::lock_guard lock(waiting_mutex_);
    leaving_ = true;
  }
  callers_gone_.notify_all();
  wake();
  if (progress_thread_.joinable()) progress_thread_.join();
  const std::lock_guard drives(driving_);  // a thread that still drives finishes its step first
  const driver_mark mark(driver_);
  shut_inbox();
  std::unique_ptr<transport> gone;  // after the lock: it may hold what posts an event when it goes
  std::lock_guard lock(inbox_mutex_);
  gone = std::move(link_);
}

// Nobody takes events any more: those that are there are the last.
void pool::shut_inbox() {
  {
    std::lock_guard lock(inbox_mutex_);
    inbox_shut_ = true;
  }
  effects out;
  (void)take_events(out);
  queue_deliveries(out);
  deliver();
}

// ---- events from the user's threads

// False, and nothing has happened, once nobody would take it: an inbox that kept it would keep its job, and that the pool.
bool pool::post(event e) {
  const bool submits = e.what == event::kind::submit;
  bool first = false;
  {
    std::lock_guard lock(inbox_mutex_);
    if (inbox_shut_) return false;
    first = inbox_.empty();
    inbox_.push_back(std::move(e));
  }
  if (!options_.progress_thread) {
    notify();  // somebody else may be waiting for work to drive
  } else if ((first || !submits) && driver_.load() != std::this_thread::get_id()) {  // the driver itself looks at its next step
    if (submits && workers_idle_ && callers_ == 0 && driver_.load() == std::thread::id()) {
      send_now();
    } else {
      wake(submits && !workers_idle_);
    }
  }
  return true;
}

// Not from a doze, if `can_wait`.
void pool::wake(bool can_wait) {
  std::lock_guard lock(inbox_mutex_);
  if (link_ == nullptr) return;
  can_wait ? link_->nudge() : link_->wake();
}

void pool::post_open(const std::shared_ptr<executor_core>& executor, int max_workers, initializer_call initializer) {
  post({event::kind::open, executor->id(), max_workers, nullptr,
        std::make_unique<opening>(opening{executor, std::move(initializer)}), nullptr});
}

bool pool::post_submit(job_ptr work) { return post({event::kind::submit, 0, 0, std::move(work)}); }

void pool::post_change(job_ptr work) { post({event::kind::change, 0, 0, std::move(work)}); }

void pool::post_shutdown(executor_id executor, bool cancel) { post({event::kind::shutdown, executor, cancel ? 1 : 0, nullptr}); }

void pool::post_close(executor_id executor) { post({event::kind::close, executor, 0, nullptr}); }

bool pool::post_share(std::shared_ptr<const shared_data> data, int descriptor) {
  const auto id = data->id();
  return post({event::kind::share, 0, descriptor, nullptr, nullptr, std::make_unique<sharing>(sharing{id, std::move(data)})});
}

void pool::post_unshare(std::uint64_t id) {
  post({event::kind::share, 0, -1, nullptr, nullptr, std::make_unique<sharing>(sharing{id, nullptr})});
}

// ---- driving

bool pool::step() {
  effects out;
  bool moved = false;
  try {
    moved = take_events(out);
    moved = take_frames(out) || moved;
    if (!ended_) scheduler_.dispatch(std::chrono::steady_clock::now(), out);
    moved = moved || !out.empty() || !deliveries_.empty() || inbox_has_some();
    send_orders(out);
  } catch (...) {  // what is decided already must be told all the same
    queue_deliveries(out);
    throw;
  }
  queue_deliveries(out);
  deliver();
  return moved;
}

bool pool::take_events(effects& out) {
  {
    std::lock_guard lock(inbox_mutex_);
    if (events_.empty()) {
      events_.swap(inbox_);
    } else {  // left when a step failed
      std::ranges::move(inbox_, std::back_inserter(events_));
      inbox_.clear();
    }
  }
  const bool any = !events_.empty();
  std::size_t taken = 0;
  const struct forget_taken {
    std::vector<event>& events;
    const std::size_t& taken;
    ~forget_taken() { events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(taken)); }
  } afterwards{events_, taken};
  while (taken < events_.size()) {
    event& e = events_[taken++];
    switch (e.what) {
      case event::kind::open:
        scheduler_.on_open(e.executor, e.number);
        if (const auto core = e.opens->core.lock(); core != nullptr && halted_) core->on_broken(halt_reason_);
        executors_[e.executor] = std::move(*e.opens);
        break;
      case event::kind::submit:
        jobs_left_.store(jobs_left_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        if (ended_) {
          out.jobs_finished.push_back(e.work->schedule.executor);
          out.abandon.push_back({std::move(e.work), std::make_exception_ptr(pool_closed("the pool has ended"))});
        } else {
          scheduler_.on_submit(std::move(e.work), out);
        }
        break;
      case event::kind::change: scheduler_.on_change(*e.work, out); break;
      case event::kind::shutdown: scheduler_.on_shutdown(e.executor, e.number != 0, out); break;
      case event::kind::last_call:
        for (const auto& [id, entry] : executors_) scheduler_.on_shutdown(id, false, out);
        last_call_ = true;
        notify();
        break;
      case event::kind::close:
        scheduler_.on_close(e.executor, out);
        executors_.erase(e.executor);
        break;
      case event::kind::share:
        if (!ended_) share(*e.shares, e.number);
        break;
      case event::kind::halt:
        halted_ = true;
        scheduler_.on_halt(halt_reason_, out);
        for (const auto& [id, entry] : executors_) {
          if (const auto core = entry.core.lock()) core->on_broken(halt_reason_);
        }
        break;
      case event::kind::give_up:
        ended_ = true;
        scheduler_.on_end(halt_reason_, out);
        break;
      case event::kind::stop:
        ended_ = true;
        scheduler_.on_end(end_reason_, out);
        for (std::size_t w = 0; w < workers_.size(); ++w) outbox(w).stop(e.number);
        break;
    }
  }
  return any;
}

bool pool::inbox_has_some() {
  std::lock_guard lock(inbox_mutex_);
  return !inbox_.empty();
}

void pool::complete(job_ptr work, std::uint64_t first, std::uint64_t count, outcome result) {
  if (work->on_outcome(first, count, std::move(result))) deliveries_.push_back({std::move(work), 0, 0});
}

void pool::queue_deliveries(effects& out) {
  for (auto& c : out.completions) {
    outcome never;
    never.error = std::move(c.error);
    complete(std::move(c.work), c.first, c.count, std::move(never));
  }
  out.completions.clear();
  for (const auto& [work, why] : out.abandon) {
    if (work->abandon(why)) deliveries_.push_back({work, 0, 0});
  }
  for (const auto& abandoned : std::exchange(out.abandon, {}))
    scheduler_.on_change(*abandoned.work, out);     // the first clears the queue of all
  for (const executor_id id : out.jobs_finished) {  // mostly long rows of one executor
    if (!deliveries_.empty() && deliveries_.back().finished > 0 && deliveries_.back().executor == id) {
      ++deliveries_.back().finished;
    } else {
      deliveries_.push_back({nullptr, id, 1});
    }
  }
  out.jobs_finished.clear();
}

void pool::deliver() {
  while (!deliveries_.empty()) {
    const delivery d = std::move(deliveries_.front());
    deliveries_.pop_front();
    if (d.reacts != nullptr) {
      announce();  // it may take its time
      d.reacts->react();
      continue;
    }
    if (const auto entry = executors_.find(d.executor); entry != executors_.end()) {
      if (const auto core = entry->second.core.lock()) core->on_jobs_finished(d.finished);
    }
    jobs_left_ = jobs_left_ - d.finished;
    if (last_call_ && jobs_left_ == 0) notify();
  }
  announce();
}

// ---- the end

void pool::drain() {
  if (!post({event::kind::last_call, 0, 0, nullptr})) return;  // nobody will read on: a map with a buffer would never end
  (void)wait_until(steady_time::max(), [this] { return (last_call_ && jobs_left_ == 0) || failed_; });
}

void pool::halt(const std::string& why) {
  {
    std::lock_guard lock(inbox_mutex_);
    if (halt_reason_ != nullptr) return;
    halt_reason_ = std::make_exception_ptr(stopped_error(why));
  }
  post({event::kind::halt, 0, 0, nullptr});
}

void pool::give_up() {
  if (gave_up_.exchange(true)) return;
  log_line("what still ran was given up");
  post({event::kind::give_up, 0, 0, nullptr});
}

bool pool::await_quiet(timeout patience) {
  return wait_until(deadline_after(patience), [this] { return quiet_ || failed_; }) && !failed_;
}

bool pool::stop(int status, const std::exception_ptr& why, timeout patience) {
  if (link_ == nullptr) return !failed_;
  end_reason_ = why;
  post({event::kind::stop, 0, status, nullptr});
  const bool stopped = wait_until(deadline_after(patience), [this] { return all_stopped_.load(); });
  if (!stopped || failed_) return false;  // the transport cannot be taken down without the other side
  leave();
  return true;
}

// A fault of the pool itself: everybody who waits is told, nobody is left hanging.
void pool::fail(const std::exception_ptr& why) {
  if (failed_) return;
  log_line("the pool has failed: " + describe(why));
  ended_ = true;
  failed_ = true;
  effects out;
  scheduler_.on_end(std::make_exception_ptr(broken_pool("the pool has failed: " + describe(why))), out);
  queue_deliveries(out);
  shut_inbox();
  all_stopped_ = true;
  notify();
  announce();
}

}  // namespace rankpool::detail
