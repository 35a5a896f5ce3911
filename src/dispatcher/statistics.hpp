// What cluster::statistics() reports: an observer that counts, and passes losses on.
#pragma once

#include "dispatcher/observer.hpp"

#include <rankpool/cluster.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rankpool::detail {

using loss_listener = void (*)(const worker_place& where, const std::string& cause, std::uint64_t tasks);

class statistics_observer final : public dispatch_observer {
 public:
  /// `losses`: told of each lost worker; may be null.
  statistics_observer(std::size_t workers, loss_listener losses);

  /// Thread safety: any thread.
  cluster_statistics totals() const;

  void on_finished(const observed_chunk& chunk, outcome& result) override;
  void on_cpu_time(worker_index where, std::uint64_t nanoseconds) override;
  void on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) override;

 private:
  const loss_listener losses_;
  std::vector<std::uint64_t> cpu_nanoseconds_;  // of each worker; the driving thread's own
  std::atomic<std::uint64_t> all_cpu_nanoseconds_ = 0;
  std::atomic<std::uint64_t> tasks_finished_ = 0;
  std::atomic<std::uint64_t> workers_lost_ = 0;
  std::atomic<std::uint64_t> tasks_lost_ = 0;
};

}  // namespace rankpool::detail
