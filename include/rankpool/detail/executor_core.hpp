// One executor's share of the pool, in terms of jobs and bytes: what the templates of executor stand on.
#pragma once

#include <rankpool/detail/invocation.hpp>
#include <rankpool/detail/job.hpp>
#include <rankpool/detail/shared_data.hpp>
#include <rankpool/detail/wait_room.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

namespace rankpool::detail {

class pool;

/// A task without result that runs once on each worker before the executor's first task there.
struct initializer_call {
  task_function function = nullptr;
  byte_buffer payload;
  keepers kept;  ///< what the payload refers to
};

class executor_core : public std::enable_shared_from_this<executor_core> {
 public:
  /// Throws std::invalid_argument for a negative max_workers, pool_closed once the pool has ended.
  static std::shared_ptr<executor_core> open(std::shared_ptr<pool> owner, int max_workers, initializer_call initializer);

  executor_core(const executor_core&) = delete;
  executor_core& operator=(const executor_core&) = delete;
  ~executor_core();

  /// Queues a job. Throws pool_closed after shutdown, broken_pool after a failed initializer.
  void submit(job_ptr work, int priority);
  /// The job has more items, is sealed or was cancelled.
  void changed(job_ptr work);

  /// Sends the bytes to every node. `object`: what they stand for, if rank 0 is not to look at the bytes themselves.
  /// Throws as submit does, and std::bad_alloc.
  std::shared_ptr<const shared_data> share(std::span<const std::byte> bytes, std::shared_ptr<const void> object);

  /// Workers that this executor may use; 0 once shut down.
  int num_workers() const;
  /// Blocks while waiting; may be called again to add either.
  void shutdown(bool wait, bool cancel);

  wait_room& room();
  std::shared_ptr<wait_room> shared_room();
  std::uint64_t next_task_id();

  // ---- the pool's side; called from the thread that drives it

  void on_jobs_finished(std::uint64_t count);
  void on_broken(const std::exception_ptr& why);
  std::uint32_t id() const { return id_; }

 private:
  void refuse_if_over() const;

  executor_core(std::shared_ptr<pool> owner, std::uint32_t id, int workers);

  const std::shared_ptr<pool> pool_;
  const std::uint32_t id_;
  const int workers_;
  std::atomic<bool> closed_ = false;
  std::atomic<bool> broken_ = false;
  mutable std::mutex mutex_;
  std::exception_ptr why_broken_;
  std::atomic<bool> awaited_ = false;
  alignas(64) std::atomic<std::uint64_t> unfinished_ = 0;  // written by the submitting and by the driving thread
};

}  // namespace rankpool::detail
