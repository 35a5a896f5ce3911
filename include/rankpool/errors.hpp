// The exceptions that rankpool throws, and the origin of exceptions that tasks throw.
//
// An exception of a task reaches rank 0 with its own type; `remote_context` returns where it was thrown. An exception whose type
// cannot be rebuilt on rank 0 arrives as `remote_error`. RANKPOOL_REGISTER_EXCEPTION (<rankpool/register_exception.hpp>) makes
// exception types of the program known.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace rankpool {

/// Base class of all exceptions that rankpool itself throws. Each constructor takes the message, which what() returns.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The task was cancelled before it started.
class cancelled_error : public error {
 public:
  explicit cancelled_error(const std::string& what = "task was cancelled") : error(what) {}
};

/// A timeout expired. A wait for a future does not affect its task; a map or reduction cancels its items that have not started.
class timeout_error : public error {
 public:
  explicit timeout_error(const std::string& what = "time is up") : error(what) {}
};

/// The executor was shut down, or its run has ended.
class pool_closed : public error {
 public:
  explicit pool_closed(const std::string& what = "the executor was shut down: submit before shutdown()") : error(what) {}
};

/// The executor cannot run tasks any more, because its initializer failed or the pool failed.
class broken_pool : public error {
 public:
  explicit broken_pool(const std::string& what = "the pool is broken") : error(what) {}
};

/// A signal, cluster::stop or run_options::stop_at stopped the run before this task started, or before it finished within the grace
/// period.
class stopped_error : public error {
 public:
  explicit stopped_error(const std::string& what = "the run was stopped before this task was started") : error(what) {}
};

/// A journal cannot be used: it belongs to another run, input or build, it is damaged or locked, or it cannot be written.
class journal_error : public error {
 public:
  using error::error;
};

/// The process that ran this task has ended. Without isolation::process: the task was running on executor_options::crash_limit lost
/// workers.
class worker_lost : public error {
 public:
  /// What is known about the process and its end.
  struct details {
    int rank = -1;
    std::string host = {};
    int signal = 0;                ///< the signal that ended the process; 0: none
    int exit_status = 0;           ///< if no signal ended it
    std::string stderr_tail = {};  ///< the last text that the process wrote to stderr, at most 4 KiB
  };

  explicit worker_lost(const std::string& what = "the worker was lost") : worker_lost(what, details()) {}
  worker_lost(const std::string& what, details about) : error(what), details_(std::make_shared<const details>(std::move(about))) {}

  /// Returns the rank of the worker, or -1 if it is unknown.
  int rank() const noexcept { return details_->rank; }
  /// Returns the host name of the worker.
  const std::string& host() const noexcept { return details_->host; }
  /// Returns the signal that ended the process, or 0 if it exited.
  int signal() const noexcept { return details_->signal; }
  /// Returns the exit status of the process, or 0 if a signal ended it.
  int exit_status() const noexcept { return details_->exit_status; }
  /// Returns the last text that the process wrote to stderr, at most 4 KiB.
  const std::string& stderr_tail() const noexcept { return details_->stderr_tail; }

 private:
  std::shared_ptr<const details> details_;  // shared, so that a copy does not throw
};

/// The callable, an argument or the result of this task could not be serialised. Other tasks are not affected.
class serialization_error : public error {
 public:
  explicit serialization_error(const std::string& what = "serialization failed") : error(what) {}
};

/// A task threw an exception whose type cannot be rebuilt on rank 0. what() has the demangled type and the message.
class remote_error : public error {
 public:
  explicit remote_error(const std::string& what = "a task failed") : error(what) {}
};

/// Describes where a task threw an exception.
struct remote_info {
  int rank = -1;     ///< rank of the worker in the pool's communicator
  std::string host;  ///< host name of the worker
  /// submit, run_everywhere: future::id() of the task; map: index of the item in the input; transform_reduce: index of the chunk's
  /// first item. The broken_pool of a failed initializer has no remote_info.
  std::uint64_t task = 0;
  std::string type_name;  ///< demangled type of the exception
  std::string trace;      ///< printable stack trace of the throw; empty if the platform provides none
};

namespace detail {

// Second base class of every exception that is rebuilt on rank 0; it carries the context.
class remote_origin {
 public:
  explicit remote_origin(remote_info info) : info_(std::move(info)) {}
  remote_origin(const remote_origin&) = default;
  remote_origin& operator=(const remote_origin&) = default;
  virtual ~remote_origin() = default;
  const remote_info& info() const noexcept { return info_; }

 private:
  remote_info info_;
};

}  // namespace detail

/// Returns where a task threw `e`, or null if no task threw it.
/// Lifetime: the result is valid as long as `e`.
const remote_info* remote_context(const std::exception& e) noexcept;
/// Returns the same for a captured exception of any type; null for a null pointer.
/// Lifetime: the result is valid as long as the exception.
const remote_info* remote_context(const std::exception_ptr& e) noexcept;

}  // namespace rankpool
