// What an executor and the dispatcher pass to each other: the initializer, and notices about the executor's jobs.
#pragma once

#include <rankpool/detail/wire/bytes.hpp>
#include <rankpool/detail/wire/code_address.hpp>

#include <cstdint>
#include <exception>

namespace rankpool::detail {

/// A task without a result. It runs once on each worker, before the executor's first task on that worker.
struct initializer_call {
  code_address function;  ///< a task_function; module 0: no initializer
  byte_buffer payload;
  shared_references references;  ///< of the payload
};

/// Receives the dispatcher's notices to an executor, on the thread that drives the pool.
class executor_listener {
 public:
  executor_listener() = default;
  executor_listener(const executor_listener&) = delete;
  executor_listener& operator=(const executor_listener&) = delete;

  /// `count` of its jobs have finished, and their outcomes and callbacks have been delivered.
  virtual void on_jobs_finished(std::uint64_t count) = 0;
  /// The executor accepts no more jobs, because its initializer has failed or the run was stopped early.
  virtual void on_broken(const std::exception_ptr& why) = 0;

 protected:
  ~executor_listener() = default;
};

}  // namespace rankpool::detail
