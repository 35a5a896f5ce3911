// The interface through which a worker calls tasks and initializers.
//
// The interface passes only bytes, so that an implementation may call the functions in another process.
#pragma once

#include <rankpool/detail/wire/block.hpp>
#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/detail/wire/task_limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

namespace rankpool::detail {

/// The initializer of an executor threw, or ended its process.
struct initializer_failure {
  byte_buffer exception;  ///< encoded
};

class task_runner {
 public:
  /// The function to call, with its encoded arguments. Lifetime: the views are valid until run() returns.
  struct call {
    code_address function;  ///< the address of a task_function
    std::span<const std::byte> payload;
    blocks_view out_of_band;
    task_limits limits = {};
  };
  struct answer {
    byte_buffer bytes;   ///< the encoded result, or the encoded exception
    blocks out_of_band;  ///< of the result
    bool threw = false;
    std::chrono::nanoseconds taken{};  ///< execution time; 0: not measured
  };
  using answer_handler = std::function<void(answer&&)>;

  virtual ~task_runner() = default;

  /// Returns how many calls run() should get at once, if so many are waiting.
  virtual std::size_t batch_size() const { return 1; }
  /// Call it before run(), with the number of its calls.
  virtual void prepare(std::size_t calls) { (void)calls; }
  /// Calls the functions one after another, and passes the answer of each to `on_answer`, in order. If the process does not
  /// contain a function, its answer is an exception. Calls that retract() has withdrawn get no answer.
  /// Throws: initializer_failure. The calls without an answer then do not run.
  /// Blocks: until the functions have returned or failed.
  virtual void run(std::span<const call> calls, const answer_handler& on_answer) = 0;
  /// Withdraws those calls of the current run() that have not started. Returns how many of its calls have started. Only for runners
  /// with a batch_size() above 1. Thread safety: any thread, between prepare() and the end of run().
  virtual std::size_t retract() { return 1; }
  /// Returns how many calls of the current run() have started. Thread safety: as retract().
  virtual std::size_t started() const { return 1; }
  /// Cancels a call that has started: its answer is cancelled_error, unless it returns first. Only for runners that call in another
  /// process. Thread safety: as retract().
  virtual void abort(std::size_t index) { (void)index; }
  /// Sends a signal to the other process. A call that the signal interrupts is not retried. Thread safety: any thread.
  virtual void end_process(int signal) { (void)signal; }
  /// Returns the CPU time that other processes have used for this object's calls.
  virtual std::chrono::nanoseconds cpu_time() const { return {}; }
};

}  // namespace rankpool::detail
