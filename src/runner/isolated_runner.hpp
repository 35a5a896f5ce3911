// A task_runner that calls tasks in a runner process, and replaces the process if a task ends it.
//
// Only the task or item that ended the process fails. Results that the process had finished are kept, and calls that it had not
// started run in the next one.
#pragma once

#include "runner/answer_log.hpp"
#include "runner/fork_server.hpp"
#include "runner/growing_memory.hpp"
#include "runner/runner_control.hpp"
#include "runner/task_runner.hpp"
#include "runner/uses.hpp"

#include <rankpool/detail/support/steady_time.hpp>
#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/runner_settings.hpp>
#include <rankpool/detail/wire/task_limits.hpp>
#include <rankpool/detail/wire/worker_place.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace rankpool::detail {

class isolated_runner final : public task_runner {
 public:
  /// The initializer of the executor, which is called in each new process. It owns its payload.
  struct initializer {
    code_address function;  ///< module 0: none
    byte_buffer payload;
    std::shared_ptr<block> bulk;  ///< owns the payload instead, if it is large
  };

  /// `shares_descriptor`: of the worker's share_log. `drive`: answers may have remote blocks, which rank 0 reads from the runner
  /// process. The runner runs no other call until these blocks are destroyed; it calls `drive` again and again meanwhile. Null:
  /// answers have none.
  /// Throws: std::bad_alloc; error. Lifetime: `server` must outlive the object.
  isolated_runner(fork_server& server, const worker_place& place, const runner_settings& settings, initializer first,
                  int shares_descriptor, std::function<void()> drive);
  isolated_runner(const isolated_runner&) = delete;
  isolated_runner& operator=(const isolated_runner&) = delete;
  /// Ends the process. Blocks: until it has ended, at most four seconds.
  ~isolated_runner() override;

  std::size_t batch_size() const override { return batch_size_; }
  void prepare(std::size_t calls) override;
  /// Throws: as task_runner::run; error if no process can be started.
  void run(std::span<const call> calls, const answer_handler& on_answer) override;
  std::size_t retract() override;
  std::size_t started() const override;
  void abort(std::size_t index) override;
  void end_process(int signal) override;
  std::chrono::nanoseconds cpu_time() const override;

 private:
  using clock = std::chrono::steady_clock;

  // Why the rank has killed the process.
  enum class cause { none, time_limit, abort, damage };
  static constexpr std::size_t nothing = static_cast<std::size_t>(-1);

  std::size_t limit() const { return limit_.load(); }
  bool is_started(std::size_t index) const { return control_.claimed > index; }
  bool is_through() const { return control_.finished == control_.requests; }
  bool has_process() const { return control_.stage == runner_stage::alive; }

  void begin_call();
  bool open_batch(std::span<const call> calls);
  void run_batch(std::span<const call> calls, const answer_handler& on_answer);
  void await_idle();
  void await_reading();
  void request();
  void await_event(std::uint32_t seen, steady_time deadline);
  void take_answers(const answer_handler& on_answer);
  void answer_failed(byte_buffer exception, const answer_handler& on_answer);
  void adapt_batch_size(std::size_t calls, std::chrono::nanoseconds taken);

  void start_process();
  void require_server() const;
  void kill_process();
  void deliver_signals();
  steady_time check_limits(const call& current);
  void doom(cause why);

  void handle_end(std::span<const call> calls, const answer_handler& on_answer);
  void fail_started(std::span<const call> calls, const answer_handler& on_answer);
  bool is_fault_of_current() const;
  bool is_between_items() const;
  bool may_run_again(const call& current);
  void fail_current(const call& current, const answer_handler& on_answer);
  void fail_whole(const call& current, const answer_handler& on_answer);
  byte_buffer describe_end(const call& current) const;

  fork_server& server_;
  const runner_settings settings_;
  const initializer initializer_;
  const std::function<void()> drive_;
  growing_memory control_memory_;
  growing_memory requests_;
  growing_memory log_;
  runner_control& control_;
  const std::shared_ptr<uses> unread_ = std::make_shared<uses>();  // blocks in the runner that rank 0 has not read
  answer_reader answers_;

  mutable std::mutex opening_;                  // guards is_open_, and limit_ until the batch is open
  bool is_open_ = false;                        // the runner may claim calls of the batch
  std::atomic<std::size_t> limit_ = 0;          // the calls of the batch from here on are withdrawn
  std::atomic<std::size_t> aborted_ = nothing;  // this call of the batch is to be cancelled
  std::atomic<int> end_signal_ = 0;             // of end_process(); no call is retried, and no process is started
  std::uint32_t signaled_instance_ = 0;         // which has got this signal

  std::size_t answered_ = 0;  // calls of the batch; also the index of the current call, the first without an answer
  struct {
    clock::time_point begin;     // of the call, or when the call before it was answered
    bool was_resumed = false;    // it has run in several processes
    std::uint32_t attempts = 0;  // of the call or item that have ended a process
    std::uint64_t item = 0;      // that item
  } current_;
  std::uint32_t idle_starts_ = 0;  // processes that have ended without starting a call or an item
  cause cause_ = cause::none;
  // What the process is killed for:
  std::size_t doomed_call_ = 0;
  std::int64_t doomed_begin_ = 0;  // cause::time_limit: runner_control::began of the task or item
  std::string damage_;             // cause::damage: what is wrong
  std::size_t batch_size_ = 1;
  std::atomic<std::uint64_t> ended_cpu_nanoseconds_ = 0;  // of the processes that have ended
};

}  // namespace rankpool::detail
