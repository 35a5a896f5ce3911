// The worker's side: takes tasks from frames, runs them one by one, sends the results back.
//
// Results travel when there is nothing left to run, or when enough time or bytes have gathered. While a task
// runs for long, an attendant thread sends what is finished, hands back what was recalled and keeps large
// transfers moving, so that nothing waits behind it.
#pragma once

#include "frame.hpp"
#include "transport.hpp"
#include "worker_pace.hpp"

#include <rankpool/detail/invocation.hpp>
#include <rankpool/detail/job.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace rankpool::detail {

class worker {
 public:
  worker(transport& link, worker_place place, worker_pace pace = worker_pace::for_workers(1));
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker();

  /// Serves until rank 0 says stop; the exit status it gives. Blocks. Throws message_error.
  int serve();

  /// One message and one task, without waiting: for a worker in rank 0's own thread. False if there was neither.
  bool step();

 private:
  using clock = std::chrono::steady_clock;

  struct queued_task {
    std::uint64_t id;
    std::uint32_t executor;
    code_address function;
    bytes_view payload;   // points into the frame that it came in
    blocks_view beside;  // likewise
  };
  // A frame with tasks that are not over yet, in the order of the queue.
  struct kept_frame {
    frame content;
    std::size_t tasks = 0;
  };
  struct executor_entry {
    code_address initializer;
    byte_buffer payload;
    enum class state { fresh, ready, failed } is = state::fresh;
  };

  // With mutex_ held:
  bool receive_all();
  void accept(frame f);
  void flush(bool urgent = true);
  void give_back();
  void receive_shared(const share_record& share);
  void join_broadcast(const broadcast_record& coming);
  void forget_shared(std::uint64_t id);
  void run_next(std::unique_lock<std::mutex>& lock);
  void forget_task();

  bool initialize(executor_entry& executor, std::uint32_t id);
  struct answer {
    byte_buffer bytes;
    blocks beside;
    bool threw = false;
  };
  answer call(const queued_task& task);

  void attend();
  void begin_task();
  void end_task();

  transport& link_;
  const worker_place place_;
  const worker_pace pace_;
  std::mutex mutex_;
  std::deque<queued_task> queue_;
  std::size_t filled_ = 0;        // its length when the last tasks had come
  std::list<kept_frame> frames_;  // a list: payloads point into them
  std::map<std::uint32_t, std::shared_ptr<executor_entry>> executors_;
  std::set<std::uint64_t> shared_;    // data that is here
  std::set<std::uint64_t> unshared_;  // data that nobody needs any more, although it is still to come
  frame_writer outbox_;
  clock::time_point flushed_;
  bool serving_ = false;  // this process is the worker's own
  clock::time_point usage_said_;
  clock::time_point ended_;  // the last task, if this thread has done nothing else since; else zero
  std::optional<int> stop_;
  std::exception_ptr failure_;  // what the attendant ran into
  std::pair<code_address, task_function> last_function_;  // most tasks are like the one before

  // The attendant sleeps until task_ has stood still at an odd number, a task, for a while.
  std::atomic<std::uint64_t> task_ = 0;
  std::atomic<bool> attendant_asleep_ = false;
  bool leaving_ = false;
  std::mutex attendant_mutex_;
  std::condition_variable attendant_wakes_;
};

}  // namespace rankpool::detail
