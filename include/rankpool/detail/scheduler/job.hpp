// The interface of a job, which the pool cuts into chunks. Each chunk runs on one worker.
//
// A submitted task is a job of one chunk. A map is cut as workers become free, so that the chunk size follows the measured time per
// item. The pool calls these functions only on the thread that drives it. A job that the program's threads use as well guards
// itself. Only react() runs code of the program.
#pragma once

#include <rankpool/detail/scheduler/chunk_observer.hpp>
#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/detail/wire/task_limits.hpp>
#include <rankpool/detail/wire/worker_place.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace rankpool::detail {

/// Consecutive items of a job, as sent to a worker.
struct chunk {
  std::uint64_t first = 0;
  std::uint64_t count = 0;  ///< 0: no item was left to cut
  // Lifetime: until the chunk has an outcome, or, for the payload, as long as `kept` if that is not null.
  std::span<const std::byte> payload;
  blocks_view out_of_band;      ///< sent with the payload
  std::shared_ptr<block> kept;  ///< owns the payload if the job does not
};

/// The outcome of a chunk.
struct outcome {
  enum class kind : std::uint8_t { value, threw, not_run };
  kind what = kind::not_run;
  byte_buffer bytes;                    ///< value: the result; threw: the encoded exception
  blocks out_of_band;                   ///< value: out-of-band buffers of the result
  std::exception_ptr error;             ///< not_run: the reason
  const worker_place* where = nullptr;  ///< value, threw: the worker; valid as long as the pool
  std::chrono::nanoseconds taken{};     ///< value, threw: execution time
};

/// The items of a chunk that have failed.
struct failed_items {
  struct example {
    std::uint64_t item = 0;
    std::exception_ptr error;
  };
  std::uint64_t count = 0;
  std::vector<example> examples;  ///< the first ones
};

class task_statistics;

class job {
 public:
  /// `run`: a task_function. `kind`: distinguishes tasks that share a function.
  job(code_address run, std::uintptr_t kind) : function(run), identity(kind) {}
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  /// Returns the number of items that can be cut now.
  virtual std::uint64_t available() = 0;
  /// Returns whether available() may increase later.
  virtual bool may_grow() = 0;
  /// Returns the number of items per chunk; 0: chosen by measured time.
  virtual std::uint64_t chunksize() const { return 1; }
  /// Cuts a chunk of at most `items` items from the front. They count as running from now on.
  virtual chunk cut(std::uint64_t items) = 0;
  /// Returns these items of a chunk that was cut as a chunk of their own, which gets its own outcome. `first`: in the input. Called
  /// only for chunks of several items.
  virtual chunk cut_from(const chunk& whole, std::uint64_t first, std::uint64_t count) {
    (void)whole, (void)first, (void)count;
    throw std::logic_error("a chunk of this job cannot be divided");
  }
  /// Delivers the outcome of a chunk. Returns whether react() must be called.
  virtual bool on_outcome(std::uint64_t first, std::uint64_t count, outcome&& result) = 0;
  /// Returns the number by which a program knows an item: see remote_info::task.
  virtual std::uint64_t task_number(std::uint64_t item) const { return item; }
  /// Returns which items have failed, according to the outcome of a chunk; at most `most` of them with their exceptions.
  virtual failed_items failures_in(std::uint64_t first, std::uint64_t count, const outcome& result, std::size_t most) const {
    (void)first, (void)most;
    return {.count = result.what == outcome::kind::threw ? count : 0, .examples = {}};
  }
  /// Called when a worker has returned a chunk that has not started. The chunk is queued again and can be cancelled until resume().
  virtual void on_requeued(std::uint64_t first, std::uint64_t count) { (void)first, (void)count; }
  /// Returns whether the chunk with this first item, which on_requeued() has queued again, was not cancelled since.
  virtual bool is_requeued(std::uint64_t first) const {
    (void)first;
    return true;
  }
  /// Called when a chunk that was queued again is about to be sent, or to fail. Returns false if the chunk was cancelled and
  /// therefore has its outcome.
  virtual bool resume(std::uint64_t first) {
    (void)first;
    return true;
  }
  /// Returns whether a failed part may still run again. Then the job is not over, although nothing of it is queued or at a worker.
  virtual bool awaits_retry() { return false; }
  /// The delay before the next attempt of the failed part with this first item is over: the part can be cut again.
  virtual void retry(std::uint64_t first) { (void)first; }
  /// Fails all items that no worker holds with `why`, or cancels them if `why` is null. Returns whether react() must be called.
  virtual bool abandon(const std::exception_ptr& why) = 0;
  /// Accepts no further input. The items that were added still run.
  virtual void seal() {}
  /// Calls the registered callbacks, which may use the pool. The dispatcher calls it only while its own state is consistent.
  virtual void react() {}

  const code_address function;  // located at construction, because its library may be unloaded before a chunk is sent
  const std::uintptr_t identity;
  /// Observes the chunks of this job; null: nobody does. Set it before the job is submitted.
  std::unique_ptr<chunk_observer> observer;

  /// The scheduler's data about this job.
  struct {
    task_statistics* statistics = nullptr;
    std::uint64_t sequence = 0;
    std::uint32_t executor = 0;
    int priority = 0;
    std::uint32_t running = 0;  ///< chunks that workers hold
    bool queued : 1 = false;
    bool aborted : 1 = false;       ///< its chunk at a worker is to be cancelled
    bool retries_here : 1 = false;  ///< rank 0 decides whether failed parts run again; set before the submission
    bool finished = false;
    std::uint16_t retries = 0;
  } schedule;
  std::uint32_t timeout_milliseconds = task_limits::no_timeout;

  /// The limits of each task or item. They are two members, which fit in what alignment leaves unused. Set them before the job is
  /// submitted.
  task_limits limits() const { return {timeout_milliseconds, schedule.retries}; }
  void set_limits(task_limits to) {
    timeout_milliseconds = to.timeout_milliseconds;
    schedule.retries = static_cast<std::uint16_t>(to.retries);
  }

 private:
  friend void intrusive_ptr_add_ref(const job* j) noexcept { j->references_.fetch_add(1, std::memory_order_relaxed); }
  friend void intrusive_ptr_release(const job* j) noexcept {
    if (j->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete j;
  }
  friend bool last_reference(const job& j) noexcept { return j.references_.load(std::memory_order_acquire) == 1; }

  mutable std::atomic<std::uint32_t> references_ = 0;
};

/// A shared owner. The job itself contains the reference count, so a task is one allocation, and a handle is one pointer.
template <class Job>
using shared_job = boost::intrusive_ptr<Job>;
using job_ptr = shared_job<job>;

template <class Job, class... Args>
shared_job<Job> make_job(Args&&... args) {
  return shared_job<Job>(new Job(std::forward<Args>(args)...));
}

}  // namespace rankpool::detail
