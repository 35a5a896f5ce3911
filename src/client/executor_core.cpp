// Defines executor_core: the state of an executor, its submissions to the pool, and its shared values.
#include <rankpool/detail/client/executor_core.hpp>

#include "call/current_worker.hpp"
#include "dispatcher/pool.hpp"
#include "shared/shared_segment.hpp"
#include "shared/shared_table.hpp"
#include "support/transition.hpp"

#include <algorithm>
#include <csignal>
#include <new>
#include <stdexcept>
#include <string>

namespace rankpool::detail {

executor_core::executor_core(std::shared_ptr<pool> owner, std::uint32_t id, int workers, std::size_t max_pending,
                             const runner_settings& runners, const task_limits& default_limits)
    : pool_(std::move(owner)),
      id_(id),
      workers_(workers),
      max_pending_(max_pending),
      runners_(runners),
      default_limits_(default_limits) {}

std::shared_ptr<executor_core> executor_core::open(std::shared_ptr<pool> owner, int max_workers, initializer_call initializer,
                                                   std::size_t max_pending, const runner_settings& runners,
                                                   const task_limits& default_limits) {
  if (max_workers < 0) {
    throw std::invalid_argument("max_workers must be 0 (all workers) or more, got " + std::to_string(max_workers));
  }
  if (owner->life().has_abandoned_tasks()) std::rethrow_exception(owner->life().stop_reason());
  if (owner->life().has_ended()) throw pool_closed("the pool has ended: no executor can be opened on it");
  const bool is_isolated = runners.isolated != 0;
  if (is_isolated && !owner->has_runner_processes()) {
    throw error(
        "isolation::process requires that run() starts the pool and initialises MPI: the process that starts runners must exist "
        "before MPI is initialised");
  }
  const int all = static_cast<int>(owner->workers().size());
  const int workers = max_workers == 0 ? all : std::min(max_workers, all);
  const auto id = owner->next_executor_id();
  std::shared_ptr<executor_core> core(new executor_core(owner, id, workers, max_pending, runners, default_limits));
  owner->post(std::make_unique<executor_opened>(id, workers, core, std::move(initializer), runners));
  return core;
}

executor_core::~executor_core() {
  if (state_ != executor_state::closed) pool_->post(executor_closed{id_});
}

bool may_become(executor_state from, executor_state to) {
  using enum executor_state;
  switch (from) {
    case open: return to == broken || to == shut_down;
    case broken: return to == shut_down;
    case shut_down: return to == closed;
    case closed: return false;
  }
  return false;
}

// Changes the state; no other function does. Returns false, and leaves the state unchanged, if the table refuses the transition.
bool executor_core::become(executor_state to) { return transition(state_, to); }

// Closes the executor if it is shut down and every job has finished. A submit counts its job before it reads the state, so no job
// can follow once the count is 0 after shutdown().
void executor_core::close_if_finished() {
  if (unfinished_ == 0 && become(executor_state::closed)) pool_->post(executor_closed{id_});
}

namespace {

void refuse_in_task() {
  if (current_worker != nullptr) {
    throw error("a task cannot give tasks to a pool, which is rank 0's: return what is to be done next, and submit it there");
  }
}

// Copies the bytes into memory that the ranks of the node can map, or into private memory if they are shorter than bulk_bytes.
// Returns the owner of the copy. `view`: the copied bytes. `descriptor`: set only if the memory can be mapped.
std::shared_ptr<const void> memory_for(std::span<const std::byte> bytes, std::span<const std::byte>& view, int& descriptor) {
  if (bytes.size() < bulk_bytes) {
    auto copy = aligned_copy(bytes);
    view = {copy.get(), bytes.size()};
    return copy;
  }
  auto segment = shared_segment::create(bytes);
  view = segment->bytes();
  descriptor = segment->descriptor();
  return segment;
}

}  // namespace

void executor_core::refuse_if_over() const {
  lifecycle& life = pool_->life();
  if (state_ != executor_state::open) {
    std::lock_guard lock(mutex_);
    if (broken_reason_ == nullptr) throw pool_closed();
    life.note_left_out(broken_reason_);
    std::rethrow_exception(broken_reason_);
  }
  if (life.is_open()) return;
  // After an early stop, an inline executor stays open until a thread drives the pool.
  if (const auto why = life.stop_reason(); why != nullptr) {
    life.note_left_out(why);
    std::rethrow_exception(why);
  }
  throw pool_closed("the pool has ended");
}

void executor_core::submit(job_ptr work, int priority) {
  refuse_in_task();
  unfinished_.fetch_add(1);  // before the state is read: a concurrent shutdown() waits for this job, or the submit fails
  try {
    refuse_if_over();
    work->schedule.executor = id_;
    work->schedule.priority = priority;
    if (!pool_->post(job_submitted{std::move(work)})) throw pool_closed("the pool has ended");
  } catch (...) {
    on_jobs_finished(1);
    throw;
  }
}

void executor_core::submit_everywhere(std::vector<job_ptr> work) {
  refuse_in_task();
  const std::size_t count = work.size();
  unfinished_.fetch_add(count);  // before the state is read, as in submit()
  try {
    refuse_if_over();
    for (const job_ptr& job : work) job->schedule.executor = id_;
    if (!pool_->post(std::make_unique<submitted_everywhere>(id_, std::move(work)))) throw pool_closed("the pool has ended");
  } catch (...) {
    on_jobs_finished(count);
    throw;
  }
}

// A callback on the thread that drives the pool may exceed the limit. If it waited, it would drive the pool meanwhile and run other
// callbacks, which could wait in turn: unbounded recursion.
bool executor_core::await_place() {
  refuse_in_task();
  for (;;) {
    std::size_t taken = pending_.load();
    while (taken < max_pending_ || pool_->is_driven_by_caller()) {
      if (pending_.compare_exchange_weak(taken, taken + 1)) return true;
    }
    place_waiters_.fetch_add(1);
    (void)room().wait_until(steady_time::max(), [this] {
      return pending_ < max_pending_ || state_ != executor_state::open || pool_->life().has_ended();
    });
    place_waiters_.fetch_sub(1);
    refuse_if_over();
  }
}

void executor_core::on_place_free() {
  pending_.fetch_sub(1);
  if (place_waiters_ > 0) room().notify();
}

void executor_core::note_left_out(const std::exception_ptr& error) { pool_->life().note_left_out(error); }

void executor_core::abort(job_ptr work) { pool_->post(job_aborted{std::move(work)}); }

void executor_core::end_processes(int signal) {
  if (!is_isolated()) {
    throw std::invalid_argument(std::string(signal == SIGKILL ? "kill_workers" : "terminate_workers") +
                                " requires an executor with isolation::process");
  }
  shutdown(false, true);  // first, so that no further task is sent
  pool_->post(processes_ended{id_, signal});
}

bool executor_core::retry_later(job_ptr work, std::uint64_t first, std::chrono::nanoseconds delay) {
  try {
    return pool_->post(std::make_unique<retry_requested>(std::move(work), first, delay));
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void executor_core::changed(job_ptr work) { pool_->post(job_changed{std::move(work)}); }

std::shared_ptr<const shared_data> executor_core::share(std::span<const std::byte> bytes, std::shared_ptr<const void> object) {
  refuse_in_task();
  refuse_if_over();
  std::span<const std::byte> view;
  int descriptor = -1;
  auto memory = memory_for(bytes, view, descriptor);
  // When the last handle is destroyed, the pool tells the workers to release the value.
  const std::shared_ptr<const shared_data> data(new shared_data(new_shared_id(), std::move(memory), view),
                                                [owner = pool_](const shared_data* d) {
                                                  owner->post(value_released{d->id()});
                                                  delete d;
                                                });
  if (object != nullptr) data->keep_object(std::move(object));
  note_given(data);
  if (!pool_->post(std::make_unique<value_shared>(data, descriptor))) throw pool_closed("the pool has ended");
  return data;
}

int executor_core::num_workers() const { return state_ >= executor_state::shut_down ? 0 : workers_; }

void executor_core::shutdown(bool wait, bool cancel) {
  const bool first = become(executor_state::shut_down);
  if (first || cancel) pool_->post(executor_shut_down{id_, cancel});
  if (first && place_waiters_ > 0) room().notify();
  if (first) close_if_finished();
  if (!wait) return;
  awaited_ = true;
  (void)room().wait_until(steady_time::max(), [this] { return unfinished_ == 0 || pool_->life().has_failed(); });
}

wait_room& executor_core::room() { return pool_->room(); }

std::shared_ptr<wait_room> executor_core::shared_room() { return {pool_, &pool_->room()}; }

std::uint64_t executor_core::next_task_id() { return pool_->next_task_id(); }

void executor_core::on_jobs_finished(std::uint64_t count) {
  if (unfinished_.fetch_sub(count) != count) return;
  if (awaited_) room().notify();
  close_if_finished();
}

void executor_core::on_broken(const std::exception_ptr& why) {
  {
    std::lock_guard lock(mutex_);
    if (broken_reason_ != nullptr) return;
    broken_reason_ = why;
  }
  become(executor_state::broken);
  if (place_waiters_ > 0) room().notify();
}

}  // namespace rankpool::detail
