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

/// The work of one worker since the pool started, as far as rank 0 knows it. A lost worker keeps its figures.
struct worker_statistics {
  int rank = 0;                         ///< see worker_info::rank
  std::uint64_t tasks = 0;              ///< finished tasks and items of maps; one that runs again counts each time
  std::chrono::nanoseconds busy{};      ///< execution time of finished tasks, and of a running task that the worker has reported,
                                        ///< which it does after some milliseconds, except in an inline cluster
  std::chrono::nanoseconds idle{};      ///< the rest of the time since the pool started, for a lost worker until it was lost
  std::chrono::nanoseconds cpu_time{};  ///< CPU time of its process since it started, as of its last report; workers report with
                                        ///< their results, at most once per millisecond; 0 in an inline cluster
  std::uint64_t bytes_sent = 0;         ///< of messages from rank 0 to the worker, without shared values that are broadcast
  std::uint64_t bytes_received = 0;     ///< of messages from the worker to rank 0
};

/// The work of all workers together since the pool started, including lost workers.
struct cluster_statistics {
  std::uint64_t tasks = 0;              ///< see worker_statistics::tasks
  std::chrono::nanoseconds cpu_time{};  ///< see worker_statistics::cpu_time
  int workers_lost = 0;                 ///< see worker_info::lost
  std::uint64_t tasks_lost = 0;         ///< unfinished tasks and items of lost workers; one that is lost again counts again
  std::uint64_t retries = 0;            ///< failed tasks and parts of maps that rank 0 runs again, as retry_if and backoff request;
                                        ///< without those, workers retry isolated tasks by themselves, which is not counted
  std::chrono::nanoseconds uptime{};    ///< time since the pool started
  std::chrono::nanoseconds busy{};      ///< see worker_statistics::busy; at most num_workers() times `uptime`
  std::uint64_t messages_sent = 0;      ///< messages from rank 0 to workers; a message may contain many tasks or results
  std::uint64_t messages_received = 0;  ///< messages from workers to rank 0
  std::uint64_t bytes_sent = 0;         ///< see worker_statistics::bytes_sent
  std::uint64_t bytes_received = 0;     ///< see worker_statistics::bytes_received
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

  /// Returns whether the run goes on when a worker is lost. Otherwise the launcher ends it. In an inline cluster, a task that
  /// crashes ends the run. It depends on how the program was started.
  bool survives_lost_workers() const;

  /// Returns the work of all workers together. The figures are read while the pool works, so they may be of slightly different
  /// moments. A result that the program has received is counted.
  /// Complexity: linear in the number of workers. It does not delay the pool.
  cluster_statistics statistics() const;

  /// Returns the work of each worker, in the order of workers(). Otherwise as statistics().
  std::vector<rankpool::worker_statistics> worker_statistics() const;

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
