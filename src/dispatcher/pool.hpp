// The pool on rank 0. It consists of an inbox for events, a dispatcher that takes them in steps, a driver that decides which thread
// does so, and their lifecycle.
#pragma once

#include "dispatcher/announcer.hpp"
#include "dispatcher/dispatcher.hpp"
#include "dispatcher/driver.hpp"
#include "dispatcher/inbox.hpp"
#include "dispatcher/lifecycle.hpp"
#include "dispatcher/statistics.hpp"
#include "transport/transport.hpp"

#include <rankpool/cluster.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rankpool::detail {

struct pool_options {
  bool progress_thread = true;         ///< see driver_options
  bool runner_processes = false;       ///< the workers can run tasks in runner processes
  bool survives_lost_workers = false;  ///< the launcher lets the run go on when a worker ends
  /// The following: see dispatcher_options.
  std::vector<int> nodes = {};
  scheduling_policy scheduling = {};
  bool (*may_send)() = nullptr;
  /// Told that a worker was lost, as dispatch_observer::on_lost(). Null: nobody is.
  loss_listener on_lost = nullptr;
  /// Observes all that happens at the workers. May be null.
  std::shared_ptr<dispatch_observer> trace = nullptr;
};

/// Thread safety: any thread may call any function, except that end() and end_for_exit() must not be called concurrently.
class pool {
 public:
  /// The transport is released at the end of the pool.
  pool(std::shared_ptr<transport> link, std::vector<worker_info> workers, const pool_options& options);
  ~pool();

  /// Returns the workers as they were at the start.
  const std::vector<worker_info>& workers() const { return workers_; }
  /// Returns the workers, with those that were lost marked as such.
  std::vector<worker_info> workers_now() const;
  /// Returns whether workers were lost.
  bool has_lost_workers() const;
  const statistics_observer& statistics() const { return statistics_; }
  lifecycle& life() { return life_; }
  /// Where threads wait for something of this pool.
  wait_room& room() { return driver_; }
  bool is_driven_by_caller() const { return driver_.is_driven_by_caller(); }
  bool has_runner_processes() const { return has_runner_processes_; }
  bool survives_lost_workers() const { return survives_lost_workers_; }

  /// Posts an event to the dispatcher. `e`: one of the types of event. False: the pool has ended, and the event is dropped.
  template <class Event>
  bool post(Event e) {
    const inbox::posted posted = inbox_.post(std::move(e));
    if (posted == inbox::posted::refused) return false;
    driver_.on_posted(std::is_same_v<Event, job_submitted>, posted == inbox::posted::first);
    return true;
  }
  executor_id next_executor_id() { return ++last_executor_; }
  std::uint64_t next_task_id() { return last_task_.fetch_add(1, std::memory_order_relaxed) + 1; }

  /// Maps read no further input from now on. Blocks: until no submitted job is left.
  void drain();
  /// Starts no further task: see cluster::stop. Tasks that still run when the grace period is over fail for the same reason.
  void stop_early(const std::string& why);
  /// Ends the pool: what is left fails with `why`, and the workers end with this exit status. Blocks: until the workers have
  /// confirmed, or the time is up. False: they have not, or the pool has failed. Later calls do nothing.
  bool end(int status, const std::exception_ptr& why, timeout limit);
  /// As end(), for an exit handler: the workers end their processes even while a task runs, no callback is called, and other
  /// threads that wait for a result never return.
  bool end_for_exit(int status, const std::exception_ptr& why, std::chrono::nanoseconds limit);

 private:
  const std::vector<worker_info> workers_;
  const bool has_runner_processes_;
  const bool survives_lost_workers_;
  std::shared_ptr<transport> link_;  // null once the pool has ended
  lifecycle life_;
  announcer waiting_;
  inbox inbox_;
  statistics_observer statistics_;
  const std::shared_ptr<dispatch_observer> trace_;
  dispatcher dispatcher_;
  driver driver_;
  std::atomic<executor_id> last_executor_ = 0;
  std::atomic<std::uint64_t> last_task_ = 0;
};

}  // namespace rankpool::detail
