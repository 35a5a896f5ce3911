// The pool on rank 0: turns calls of the user's threads into events of the scheduler, its orders into frames, and
// frames into completed jobs.
//
// Exactly one thread at a time drives it: a thread that waits for a result, or on ranks, while nobody does, the
// progress thread, so that tasks flow while the caller computes or sleeps. Callbacks run on the driving thread
// with no lock held, and may call anything. A submit that finds nobody driving and a worker idle sends its task
// itself.
#pragma once

#include "scheduler.hpp"
#include "transport.hpp"

#include <rankpool/cluster.hpp>
#include <rankpool/detail/executor_core.hpp>
#include <rankpool/detail/shared_data.hpp>
#include <rankpool/detail/wait_room.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace rankpool::detail {

struct pool_options {
  bool progress_thread = true;  ///< false: the waiting threads drive
  std::vector<int> nodes = {};  ///< of each worker; 0, rank 0's, where there is none
  scheduling_policy scheduling = {};
};

// Marks the calling thread as the driver; the lock is held.
class driver_mark {
 public:
  explicit driver_mark(std::atomic<std::thread::id>& driver) : driver_(driver) { driver_ = std::this_thread::get_id(); }
  driver_mark(const driver_mark&) = delete;
  driver_mark& operator=(const driver_mark&) = delete;
  ~driver_mark() { driver_ = std::thread::id(); }

 private:
  std::atomic<std::thread::id>& driver_;
};

class pool final : public wait_room, public std::enable_shared_from_this<pool> {
 public:
  pool(std::unique_ptr<transport> link, std::vector<worker_info> workers, pool_options options);
  ~pool() override;

  const std::vector<worker_info>& workers() const { return workers_; }
  /// From any thread.
  cluster_statistics statistics() const;

  /// Blocks until no task is left. No map reads on from now on.
  void drain();
  /// Nothing more is begun: see cluster::stop. From any thread.
  void halt(const std::string& why);
  bool halted() const { return halted_; }
  /// What still runs will not be waited for any more: it fails for the reason that the pool was halted for.
  void give_up();
  bool gave_up() const { return gave_up_; }
  /// Blocks until no worker runs anything; false when the time is up before.
  bool await_quiet(timeout patience);
  /// Ends everything: what is left fails with `why`, and the workers end with this exit status. Blocks until they
  /// have said so or the time is up; then false. Later calls do nothing.
  bool stop(int status, const std::exception_ptr& why, timeout patience);

  // ---- executor_core's side, from any thread
  void post_open(const std::shared_ptr<executor_core>& executor, int max_workers, initializer_call initializer);
  /// False if the pool has ended: nothing will come of it.
  [[nodiscard]] bool post_submit(job_ptr work);
  void post_change(job_ptr work);
  void post_shutdown(executor_id executor, bool cancel);
  void post_close(executor_id executor);
  /// Data in memory of this process, with its descriptor if the node can map it.
  [[nodiscard]] bool post_share(std::shared_ptr<const shared_data> data, int descriptor);
  void post_unshare(std::uint64_t id);
  executor_id next_executor_id() { return ++last_executor_; }
  std::uint64_t next_task_id() { return last_task_.fetch_add(1, std::memory_order_relaxed) + 1; }
  bool ended() const { return ended_; }
  bool failed() const { return failed_; }

  // ---- wait_room
  void notify() override;
  void poll() override;
  void settle() override;

 private:
  bool wait_for(steady_time deadline, condition_ref ready) override;
  struct opening {
    std::weak_ptr<executor_core> core;
    initializer_call initializer;
  };
  struct sharing {
    std::uint64_t id = 0;
    std::shared_ptr<const shared_data> data;  // null: it is no longer needed
  };
  struct event {
    enum class kind : std::uint8_t { open, submit, change, shutdown, last_call, close, share, halt, give_up, stop } what;
    executor_id executor = 0;
    int number = 0;  // max_workers, whether to cancel, the descriptor, or the exit status
    job_ptr work;
    std::unique_ptr<opening> opens = {};
    std::unique_ptr<sharing> shares = {};
  };
  // What is told once no decision is half made: a job to call back, or an executor how many jobs are finished.
  struct delivery {
    job_ptr reacts;
    executor_id executor = 0;
    std::uint64_t finished = 0;
  };

  bool post(event e);
  void wake(bool can_wait = false);
  void leave();
  void shut_inbox();
  void release_caller();
  void progress();
  void drive_until(steady_time deadline, condition_ref ready);
  void sleep_until(steady_time deadline, condition_ref ready, std::uint64_t seen);
  void send_now();
  bool step();
  // What the driver does after a step until there is something to do again; no other thread may drive before it is decided.
  struct rest {
    bool dozes = false;  // else sleeps
    steady_time until;
  };
  std::optional<rest> rest_after(bool moved, std::uint32_t seen, const std::atomic<int>& give_way, steady_time now);
  void take(const rest& r, std::uint32_t seen, steady_time deadline = steady_time::max());
  std::chrono::nanoseconds time_to_doze(steady_time now);
  std::uint64_t announcements();
  void announce();
  bool take_events(effects& out);
  bool inbox_has_some();
  bool take_frames(effects& out);
  void accept(int from, const frame& f, effects& out);
  void share(const sharing& s, int descriptor);
  void tell_node_of(int leader, const shared_here_record& here);
  int node_of(std::size_t worker) const { return options_.nodes.empty() ? 0 : options_.nodes[worker]; }
  frame_writer& outbox(std::size_t worker);
  void send_orders(effects& out);
  void complete(job_ptr work, std::uint64_t first, std::uint64_t count, outcome result);
  void queue_deliveries(effects& out);
  void deliver();
  void fail(const std::exception_ptr& why);

  std::unique_ptr<transport> link_;  // null once stopped; wake() is called with inbox_mutex_ held
  const std::vector<worker_info> workers_;
  const pool_options options_;
  std::vector<worker_place> places_;
  std::vector<std::size_t> leaders_;  // the first worker of each node but rank 0's
  std::atomic<executor_id> last_executor_ = 0;
  std::atomic<std::uint64_t> last_task_ = 0;
  std::atomic<bool> ended_ = false;

  std::mutex inbox_mutex_;
  std::vector<event> inbox_;
  bool inbox_shut_ = false;

  // The driving thread's own.
  scheduler scheduler_;
  std::map<executor_id, opening> executors_;
  std::vector<event> events_;  // being taken; kept for its memory
  std::vector<frame_writer> outboxes_;
  std::vector<std::size_t> unsent_;  // which of them have something
  std::pair<task_function, code_address> last_function_;  // most tasks are like the one before
  bool announce_ = false;      // somebody waits for what this step has completed
  std::size_t workers_stopped_ = 0;
  std::exception_ptr end_reason_;
  std::exception_ptr halt_reason_;

  std::deque<delivery> deliveries_;  // in order; a callback that waits goes on with those behind its own

  std::timed_mutex driving_;  // held by the driver
  std::atomic<std::thread::id> driver_;
  std::atomic<int> callers_ = 0;               // threads that wait and want to drive
  std::atomic<std::uint64_t> drives_ = 0;      // by callers
  std::atomic<bool> progress_parked_ = false;  // until no caller drives
  std::atomic<bool> workers_idle_ = true;      // some of them, when the last step ended
  std::atomic<bool> leaving_ = false;
  std::atomic<bool> all_stopped_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> halted_ = false;
  std::atomic<bool> gave_up_ = false;
  std::atomic<bool> quiet_ = false;  // nothing runs, and nothing will: halted alone
  std::vector<std::uint64_t> cpu_nanoseconds_;          // of each worker; the driver's own
  std::atomic<std::uint64_t> all_cpu_nanoseconds_ = 0;  // their sum
  std::atomic<std::uint64_t> tasks_finished_ = 0;
  std::atomic<std::uint64_t> jobs_left_ = 0;  // of those taken from the inbox; written by the driver alone
  std::atomic<bool> last_call_ = false;       // taken as well: every job submitted before drain() is counted

  std::mutex waiting_mutex_;  // threads that neither drive nor have a result
  std::condition_variable changed_;
  std::uint64_t announcements_ = 0;
  std::condition_variable callers_gone_;  // for the progress thread
  std::atomic<std::thread::id> progress_id_;
  std::thread progress_thread_;
};

}  // namespace rankpool::detail
