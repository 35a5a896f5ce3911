// What the pool is given to do: a job is cut into pieces, each of which runs on one worker.
//
// A submitted task is a job of one piece; a map is cut as workers become free, so that pieces fit the measured
// time per item. The pool calls these functions from one thread at a time, whichever drives it; a job that the
// user's threads touch as well guards itself. None of them runs code of the user's but react().
#pragma once

#include <rankpool/detail/block.hpp>
#include <rankpool/detail/invocation.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>

namespace rankpool::detail {

/// Consecutive items of a job as they go to a worker.
struct piece {
  std::uint64_t first = 0;
  std::uint64_t count = 0;              ///< 0: there was nothing to cut after all
  // These live as long as the job has no outcome, the payload otherwise as `kept`.
  std::span<const std::byte> payload;
  blocks_view beside;           ///< what travels beside the payload
  std::shared_ptr<block> kept;  ///< what holds the payload, if not the job
};

/// Which worker did something.
struct worker_place {
  int rank = -1;
  std::string host;
};

/// What became of a piece.
struct outcome {
  enum class kind : std::uint8_t { value, threw, not_run };
  kind what = kind::not_run;
  byte_buffer bytes;                    ///< value: the result; threw: the encoded exception
  blocks beside;                        ///< value: what has travelled beside it
  std::exception_ptr error;             ///< not_run: why
  const worker_place* where = nullptr;  ///< value, threw: the worker; lives as long as the pool
  std::chrono::nanoseconds taken{};     ///< value, threw: running
};

class kind_statistics;

class job {
 public:
  /// `kind` tells tasks apart that share a function.
  job(task_function run, std::uintptr_t kind) : function(run), identity(kind) {}
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  /// Items that can be cut now.
  virtual std::uint64_t available() = 0;
  /// Whether available() may rise again.
  virtual bool may_grow() = 0;
  /// Items to a piece; 0: as many as measured time suggests.
  virtual std::uint64_t chunksize() const { return 1; }
  /// Cuts up to `items` from the front; they are running from now on.
  virtual piece cut(std::uint64_t items) = 0;
  /// A cut piece is over. True: react() is to be called.
  virtual bool on_outcome(std::uint64_t first, std::uint64_t count, outcome result) = 0;
  /// What has not been cut never will be: it fails with `why`, or is cancelled if that is null. True: as above.
  virtual bool abandon(const std::exception_ptr& why) = 0;
  /// No further input will come; what is there still runs.
  virtual void seal() {}
  /// Calls who wanted to be called back. Called when no decision is half made.
  virtual void react() {}

  const task_function function;
  const std::uintptr_t identity;

  /// The scheduler's own notes on this job.
  struct {
    kind_statistics* statistics = nullptr;
    std::uint64_t sequence = 0;
    std::uint32_t executor = 0;
    int priority = 0;
    std::uint32_t running = 0;  ///< pieces at workers
    bool queued = false;
    bool finished = false;
  } schedule;

 private:
  friend void intrusive_ptr_add_ref(const job* j) noexcept { j->references_.fetch_add(1, std::memory_order_relaxed); }
  friend void intrusive_ptr_release(const job* j) noexcept {
    if (j->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete j;
  }
  friend bool last_reference(const job& j) noexcept { return j.references_.load(std::memory_order_acquire) == 1; }

  mutable std::atomic<std::uint32_t> references_ = 0;
};

/// Shared ownership, counted in the job itself: a task is one allocation, a handle on it one pointer.
template <class Job>
using shared_job = boost::intrusive_ptr<Job>;
using job_ptr = shared_job<job>;

template <class Job, class... Args>
shared_job<Job> make_job(Args&&... args) {
  return shared_job<Job>(new Job(std::forward<Args>(args)...));
}

}  // namespace rankpool::detail
