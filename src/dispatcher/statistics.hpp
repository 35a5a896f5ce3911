// What cluster::statistics() reports: an observer that counts.
#pragma once

#include "dispatcher/observer.hpp"

#include <rankpool/cluster.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rankpool::detail {

class statistics_observer final : public dispatch_observer {
 public:
  explicit statistics_observer(std::size_t workers);

  /// Thread safety: any thread.
  cluster_statistics totals() const;

  void on_finished(const observed_chunk& chunk, outcome& result) override;
  void on_cpu_time(worker_index where, std::uint64_t nanoseconds) override;
  void on_lost(worker_index where, const std::string& how, std::uint64_t tasks) override;

 private:
  std::vector<std::uint64_t> cpu_nanoseconds_;  // of each worker; the driving thread's own
  std::atomic<std::uint64_t> all_cpu_nanoseconds_ = 0;
  std::atomic<std::uint64_t> tasks_finished_ = 0;
  std::atomic<std::uint64_t> workers_lost_ = 0;
  std::atomic<std::uint64_t> tasks_lost_ = 0;
};

}  // namespace rankpool::detail
