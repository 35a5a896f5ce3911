// A worker: receives tasks, runs them one by one, and returns their results.
//
// Results are sent when no task is left to run, or when enough time has passed or enough bytes have accumulated. While a task runs
// for long, the attendant thread sends finished results, returns recalled tasks and drives large transfers, so that these do not
// wait for the task.
#pragma once

#include "runner/share_log.hpp"
#include "runner/task_runner.hpp"
#include "shared/shared_segment.hpp"
#include "transport/transport.hpp"
#include "wire/frame.hpp"
#include "wire/worker_pace.hpp"

#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/worker_place.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rankpool::detail {

class worker {
 public:
  /// `runner`: calls the tasks that are not isolated. Null: an in_process_runner.
  worker(transport& link, worker_place place, worker_pace pace = worker_pace::for_workers(1),
         std::unique_ptr<task_runner> runner = nullptr);
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker();

  /// A function that ends this process and does not return. `in_task`: whether the attendant thread calls it while a task runs.
  using process_end = std::function<void(bool in_task)>;
  /// Also reports when each task has ended, for a trace. Call it before the worker serves.
  void report_ends() { reports_ends_ = true; }

  /// Serves until rank 0 stops the worker, and returns the exit status that rank 0 has sent. If rank 0 ends the process, calls
  /// `end_process` instead of returning, unless it is null.
  /// Throws: message_error, and errors of the transport.
  /// Blocks: until rank 0 stops the worker.
  int serve(process_end end_process = nullptr);

  /// Returns whether rank 0 has stopped this worker after it had lost other ranks. Then no collective call of MPI may follow.
  bool ranks_were_lost() const { return ranks_were_lost_; }

  /// Receives the messages that have arrived, and runs at most one task. Returns false if there was neither. An inline worker uses
  /// this function in place of serve().
  bool step();

 private:
  using clock = std::chrono::steady_clock;

  struct queued_task {
    std::uint64_t id;
    std::uint32_t executor;
    code_address function;
    bytes_view payload;       // points into its frame
    blocks_view out_of_band;  // likewise
    task_limits limits;
  };
  // A frame with tasks that are not over yet. The frames are in the order of the queue.
  struct kept_frame {
    frame content;
    std::size_t tasks = 0;
  };
  struct executor_entry {
    code_address initializer;
    byte_buffer payload;                  // of the initializer
    std::shared_ptr<block> bulk;          // owns the payload instead, if it is large
    std::unique_ptr<task_runner> runner;  // of isolated tasks, calls the initializer itself; null: the worker's runner
    enum class state { fresh, ready, failed } is = state::fresh;
  };

  struct shared_entry {
    share_source source;                            // for runner processes
    std::shared_ptr<const shared_segment> segment;  // keeps the descriptor open; null: a short value, or an unavailable one
    bool is_missing = false;                        // it is unavailable
  };

  // The caller holds mutex_:
  bool receive_all();
  void accept(frame f);
  void flush(bool urgent = true);
  std::vector<std::uint64_t> withdraw_unstarted();
  void return_tasks(bool is_recalled);
  void receive_shared(const share_record& share);
  void join_broadcast(const broadcast_record& coming);
  void receive_copy(const copy_record& part);
  std::shared_ptr<shared_segment> memory_for_node(std::uint64_t id, std::size_t size);
  void keep_for_node(std::uint64_t id, std::shared_ptr<shared_segment> segment);
  void receive_unavailable(const unavailable_record& what);
  std::string why_unavailable(std::size_t size, const std::exception& e) const;
  void forget_shared(std::uint64_t id);
  bool has_shared(std::uint64_t id);
  void run_next(std::unique_lock<std::mutex>& lock);
  void run_batch(executor_entry& executor, task_runner& runner, std::unique_lock<std::mutex>& lock);
  void take_answer(task_runner::answer&& a, clock::time_point begin);
  void forget_task();
  void set_running(std::uint64_t id);
  void open_executor(const open_record& open);
  void close_executor(std::uint32_t id);
  void abort_task(std::uint64_t id);
  void note_shared(std::uint64_t id, std::uint64_t size, const std::shared_ptr<shared_segment>& segment);

  bool initialize(executor_entry& executor, std::uint32_t id);
  void report_failed_executor(executor_entry& executor, std::uint32_t id, byte_buffer exception);

  void attend();
  void exchange();
  void report_running();
  void send_stopped();
  [[noreturn]] void end_without_descriptors();
  void begin_task();
  void end_task();

  transport& link_;
  task_note unread_note_;
  task_note& running_task_;  // for others; they read it when this process has ended
  const worker_place place_;
  bool reports_ends_ = false;
  const worker_pace pace_;
  const std::size_t flush_bytes_;  // results accumulate up to this size
  const std::unique_ptr<task_runner> runner_;
  std::mutex mutex_;
  std::deque<queued_task> queue_;
  std::size_t filled_ = 0;        // length of queue_ when the last tasks arrived
  std::list<kept_frame> frames_;  // a list, because payloads point into its elements
  std::map<std::uint32_t, std::shared_ptr<executor_entry>> executors_;
  std::map<std::uint64_t, shared_entry> shared_;                       // values that have arrived, or are known to be unavailable
  std::unique_ptr<share_log> share_log_;                               // of shared_, for runner processes; null: there is none
  std::map<std::uint64_t, std::shared_ptr<shared_segment>> arriving_;  // values for this node that have not arrived whole
  frame_writer outbox_;
  clock::time_point flushed_;
  bool serving_ = false;  // serve() was called
  clock::time_point usage_sent_;
  std::vector<queued_task> batch_;       // the tasks that the runner has, in the order in which they run
  std::size_t answered_ = 0;             // of batch_
  std::size_t batch_end_ = 0;            // those of batch_ from here on were returned to rank 0
  task_runner* batch_runner_ = nullptr;  // which has batch_; null: no task runs
  std::vector<task_runner::call> calls_;
  std::chrono::nanoseconds isolated_cpu_time_{};  // of runner processes of closed executors
  std::uint64_t running_ = 0;                     // id of the running task; 0: none
  std::uint64_t reported_running_ = 0;            // id of the last task that report_running() has reported
  clock::time_point ended_;                       // end of the last task, if the thread has done nothing since; else zero
  std::optional<int> stop_;
  bool ends_process_ = false;     // sent by rank 0 together with stop_
  bool ranks_were_lost_ = false;  // likewise
  process_end end_process_;
  std::exception_ptr failure_;  // while a task runs

  // task_ is odd while a task runs. The attendant acts when task_ has kept an odd value for pace_.attend_after.
  std::atomic<std::uint64_t> task_ = 0;
  std::atomic<bool> attendant_asleep_ = false;
  bool leaving_ = false;
  std::mutex attendant_mutex_;
  std::condition_variable attendant_wakes_;
};

}  // namespace rankpool::detail
