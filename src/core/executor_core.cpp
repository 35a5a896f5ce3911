#include <rankpool/detail/executor_core.hpp>

#include "current_worker.hpp"
#include "pool.hpp"
#include "shared_segment.hpp"
#include "shared_table.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace rankpool::detail {

executor_core::executor_core(std::shared_ptr<pool> owner, std::uint32_t id, int workers)
    : pool_(std::move(owner)), id_(id), workers_(workers) {}

std::shared_ptr<executor_core> executor_core::open(std::shared_ptr<pool> owner, int max_workers, initializer_call initializer) {
  if (max_workers < 0) {
    throw std::invalid_argument("max_workers must be 0 (all workers) or more, got " + std::to_string(max_workers));
  }
  if (owner->ended()) throw pool_closed("the pool has ended: no executor can be opened on it");
  const int all = static_cast<int>(owner->workers().size());
  const int workers = max_workers == 0 ? all : std::min(max_workers, all);
  const auto id = owner->next_executor_id();
  std::shared_ptr<executor_core> core(new executor_core(owner, id, workers));
  owner->post_open(core, workers, std::move(initializer));
  return core;
}

executor_core::~executor_core() { pool_->post_close(id_); }

namespace {

void refuse_in_task() {
  if (current_worker != nullptr) {
    throw error("a task cannot give tasks to a pool, which is rank 0's: return what is to be done next, and submit it there");
  }
}

// The bytes again, where the ranks of the node can look at them, or, if they are few, as they will be sent.
std::shared_ptr<const void> memory_for(std::span<const std::byte> bytes, std::span<const std::byte>& there, int& descriptor) {
  if (bytes.size() < bulk_bytes) {
    auto copy = aligned_copy(bytes);
    there = {copy.get(), bytes.size()};
    return copy;
  }
  auto segment = shared_segment::create(bytes);
  there = segment->bytes();
  descriptor = segment->descriptor();
  return segment;
}

}  // namespace

void executor_core::refuse_if_over() const {
  if (broken_) {
    std::lock_guard lock(mutex_);
    std::rethrow_exception(why_broken_);
  }
  if (closed_) throw pool_closed();
  if (pool_->ended()) throw pool_closed("the pool has ended");
}

void executor_core::submit(job_ptr work, int priority) {
  refuse_in_task();
  unfinished_.fetch_add(1);  // first: a shutdown that comes in between waits for this job, or this sees that it is closed
  try {
    refuse_if_over();
    work->schedule.executor = id_;
    work->schedule.priority = priority;
    if (!pool_->post_submit(std::move(work))) throw pool_closed("the pool has ended");
  } catch (...) {
    on_jobs_finished(1);
    throw;
  }
}

void executor_core::changed(job_ptr work) { pool_->post_change(std::move(work)); }

std::shared_ptr<const shared_data> executor_core::share(std::span<const std::byte> bytes, std::shared_ptr<const void> object) {
  refuse_in_task();
  refuse_if_over();
  std::span<const std::byte> there;
  int descriptor = -1;
  auto memory = memory_for(bytes, there, descriptor);
  // The last handle tells the pool, and so the workers, that nobody needs it.
  const std::shared_ptr<const shared_data> data(new shared_data(new_shared_id(), std::move(memory), there),
                                                [owner = pool_](const shared_data* d) {
                                                  owner->post_unshare(d->id());
                                                  delete d;
                                                });
  if (object != nullptr) data->keep_object(std::move(object));
  note_given(data);
  if (!pool_->post_share(data, descriptor)) throw pool_closed("the pool has ended");
  return data;
}

int executor_core::num_workers() const { return closed_ ? 0 : workers_; }

void executor_core::shutdown(bool wait, bool cancel) {
  const bool first = !closed_.exchange(true);
  if (first || cancel) pool_->post_shutdown(id_, cancel);
  if (!wait) return;
  awaited_ = true;
  (void)pool_->wait_until(steady_time::max(), [this] { return unfinished_ == 0 || pool_->failed(); });
}

wait_room& executor_core::room() { return *pool_; }

std::shared_ptr<wait_room> executor_core::shared_room() { return pool_; }

std::uint64_t executor_core::next_task_id() { return pool_->next_task_id(); }

void executor_core::on_jobs_finished(std::uint64_t count) {
  if (unfinished_.fetch_sub(count) == count && awaited_) pool_->notify();
}

void executor_core::on_broken(const std::exception_ptr& why) {
  std::lock_guard lock(mutex_);
  if (broken_) return;
  why_broken_ = why;
  broken_ = true;
}

}  // namespace rankpool::detail
