// cluster: the workers that a program was started with. Executors are made on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rankpool {

namespace detail {
class pool;
struct cluster_access;
}  // namespace detail

struct worker_info {
  int rank = 0;      ///< in the pool's communicator; 0 in an inline cluster
  std::string host;  ///< host name
  int pid = 0;       ///< process id on that host
};

/// What has been done so far, on all workers together.
struct cluster_statistics {
  std::uint64_t tasks = 0;              ///< finished; each item of a map is one
  std::chrono::nanoseconds cpu_time{};  ///< of the workers' processes since their start, as they said with their last results, at
                                        ///< most once a millisecond; 0 inline
};

class cluster {
 public:
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  int num_workers() const;
  std::vector<worker_info> workers() const;
  cluster_statistics statistics() const;

  /// Starts nothing more: what has not begun, and what is submitted from now on, fails with stopped_error(`why`), while what runs
  /// is finished. From any thread; later calls do nothing.
  void stop(const std::string& why);

 private:
  friend struct detail::cluster_access;
  explicit cluster(std::shared_ptr<detail::pool> pool) : pool_(std::move(pool)) {}

  std::shared_ptr<detail::pool> pool_;
};

namespace detail {

struct cluster_access {
  static cluster make(std::shared_ptr<pool> p) { return cluster(std::move(p)); }
  static const std::shared_ptr<pool>& get(const cluster& c) { return c.pool_; }
};

}  // namespace detail
}  // namespace rankpool
