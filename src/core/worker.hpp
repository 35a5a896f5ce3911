// The worker's side: takes tasks from frames, runs them one by one, sends the results back.
//
// Results travel when there is nothing left to run, or when enough time or bytes have gathered. While a task
// runs for long, an attendant thread sends what is finished, hands back what was recalled and keeps large
// transfers moving, so that nothing waits behind it.
#pragma once

#include "frame.hpp"
#include "transport.hpp"

#include <rankpool/detail/invocation.hpp>
#include <rankpool/detail/job.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace rankpool::detail {

class worker {
 public:
  worker(transport& link, worker_place place);

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
    bytes_view payload;
    std::shared_ptr<const frame> frame_kept;  // what payload points into
  };
  struct executor_entry {
    code_address initializer;
    bytes_view payload;
    std::shared_ptr<const frame> frame_kept;
    enum class state { fresh, ready, failed } is = state::fresh;
  };

  // With mutex_ held:
  bool receive_all();
  void accept(std::shared_ptr<const frame> f);
  void flush();
  void give_back();

  void run(const queued_task& task);
  bool ready_for(executor_entry& executor, std::uint32_t id);

  void attend();
  void begin_task();
  void end_task();

  transport& link_;
  const worker_place place_;
  std::mutex mutex_;
  std::deque<queued_task> queue_;
  std::map<std::uint32_t, std::shared_ptr<executor_entry>> executors_;
  frame_writer outbox_;
  clock::time_point flushed_;
  std::optional<int> stop_;
  std::exception_ptr failure_;  // what the attendant ran into

  // The attendant sleeps until task_ has stood still at an odd number, a task, for a while.
  std::atomic<std::uint64_t> task_ = 0;
  std::atomic<bool> attendant_asleep_ = false;
  bool leaving_ = false;
  std::mutex attendant_mutex_;
  std::condition_variable attendant_wakes_;
};

}  // namespace rankpool::detail
