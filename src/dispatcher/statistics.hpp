// What cluster::statistics() and cluster::worker_statistics() report: an observer that counts, and passes losses on.
//
// The driving thread alone writes, and any thread may read. Each worker has a cache line of counters, so that counting costs a few
// stores into memory that the driving thread's core already has.
#pragma once

#include "dispatcher/observer.hpp"

#include <rankpool/cluster.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rankpool::detail {

using loss_listener = void (*)(const worker_place& where, const std::string& cause, std::uint64_t tasks);

class statistics_observer final : public dispatch_observer {
 public:
  /// `workers` must outlive the observer. `losses`: told of each lost worker; may be null.
  statistics_observer(const std::vector<worker_info>& workers, loss_listener losses);

  /// Returns the sum over all workers. Thread safety: any thread.
  cluster_statistics of_all() const;
  /// Returns one entry per worker, in their order. Thread safety: any thread.
  std::vector<worker_statistics> of_each() const;

  void on_started(const observed_chunk& chunk) override;
  void on_finished(const observed_chunk& chunk, outcome& result) override;
  void on_abandoned(const observed_chunk& chunk) override;
  void on_cpu_time(worker_index where, std::uint64_t nanoseconds) override;
  void on_message_sent(worker_index to, std::size_t bytes) override;
  void on_message_received(worker_index from, std::size_t bytes) override;
  void on_retry() override;
  void on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) override;

 private:
  using counter = std::atomic<std::uint64_t>;

  static constexpr std::size_t cache_line_bytes = 64;
  // Times are in nanoseconds; those of events count from begin_, and 0 means none.
  struct alignas(cache_line_bytes) counters {
    counter tasks = 0;
    counter busy = 0;           // of finished tasks
    counter running_since = 0;  // when the worker reported the running task
    counter cpu_time = 0;
    counter bytes_sent = 0;
    counter bytes_received = 0;
    counter lost_at = 0;
  };

  std::uint64_t now() const;
  counters& of(int worker) { return worker_counters_[static_cast<std::size_t>(worker)]; }
  static worker_statistics read(const counters& from, std::uint64_t now);

  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const std::vector<worker_info>& workers_;
  const loss_listener losses_;
  std::vector<counters> worker_counters_;
  counter messages_sent_ = 0;
  counter messages_received_ = 0;
  counter retries_ = 0;
  counter workers_lost_ = 0;
  counter tasks_lost_ = 0;
};

}  // namespace rankpool::detail
