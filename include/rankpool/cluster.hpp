// cluster: the workers of a run. A program constructs executors on it.
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

/// Describes one worker of a cluster.
struct worker_info {
  int rank = 0;       ///< rank in the pool's communicator; 0 in an inline cluster
  std::string host;   ///< host name
  int pid = 0;        ///< process id on that host
  bool lost = false;  ///< its process has ended or cannot be reached, and the run goes on without it
};

/// The work of all workers together.
struct cluster_statistics {
  std::uint64_t tasks = 0;              ///< finished tasks and items of maps; one that runs again counts each time
  std::chrono::nanoseconds cpu_time{};  ///< CPU time of the workers' processes since they started, as of their last reports;
                                        ///< workers report with their results, at most once per millisecond; 0 in an inline cluster
  int workers_lost = 0;                 ///< see worker_info::lost
  std::uint64_t tasks_lost = 0;         ///< unfinished tasks and items of lost workers; one that is lost again counts again
};

/// The workers of a run. run() makes one and passes it to the program.
/// Thread safety: any thread of rank 0 may call any member.
/// Lifetime: a cluster is valid until the function that run() has called returns.
class cluster {
 public:
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  /// Returns the number of workers. An inline cluster has 1.
  int num_workers() const;

  /// Returns one entry per worker, in rank order. Workers that were lost stay in the list.
  std::vector<worker_info> workers() const;

  /// Returns what the workers have finished since the run started.
  cluster_statistics statistics() const;

  /// Stops the run early. Tasks that have not started, and tasks that are submitted later, fail with stopped_error(`why`). Running
  /// tasks may continue for run_options::grace, counted from this call. If any submitted work has not run, and the program returns
  /// 0 or lets the stopped_error escape, run() prints `why` and returns 75 (EX_TEMPFAIL: resumable). Later calls have no effect.
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
