// The errors that rankpool throws, and where a task's own error came from.
//
// A task's exception reaches the caller as the same type; `remote_context` tells where it was thrown.
// Types that cannot be rebuilt on rank 0 arrive as `remote_error`. See RANKPOOL_REGISTER_EXCEPTION
// (<rankpool/register_exception.hpp>) for how an own type comes back whole.
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace rankpool {

/// Base of all errors that rankpool itself throws.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The task was cancelled before it ran.
class cancelled_error : public error {
 public:
  explicit cancelled_error(const std::string& what = "task was cancelled") : error(what) {}
};

/// A wait's time was up; the task goes on.
class timeout_error : public error {
 public:
  explicit timeout_error(const std::string& what = "time is up") : error(what) {}
};

/// The executor was shut down, or the program that owned it has ended.
class pool_closed : public error {
 public:
  explicit pool_closed(const std::string& what = "the executor was shut down: submit before shutdown()") : error(what) {}
};

/// The executor cannot run anything any more: its initializer failed, or no worker is left.
class broken_pool : public error {
 public:
  explicit broken_pool(const std::string& what = "the pool is broken") : error(what) {}
};

/// The run was told to stop before this task was started: by a signal, by cluster::stop, or as its time was up.
class stopped_error : public error {
 public:
  explicit stopped_error(const std::string& what = "the run was stopped before this task was started") : error(what) {}
};

/// A journal cannot be used: it is of another run, input or build, damaged, in use, or cannot be written.
class journal_error : public error {
 public:
  using error::error;
};

/// The process that ran this task died.
class worker_lost : public error {
 public:
  explicit worker_lost(const std::string& what = "the worker was lost") : error(what) {}
};

/// This task's callable, argument or result could not travel; other tasks are not affected.
class serialization_error : public error {
 public:
  explicit serialization_error(const std::string& what = "serialization failed") : error(what) {}
};

/// A task threw a type that cannot be rebuilt here; what() has the demangled type and the message.
class remote_error : public error {
 public:
  explicit remote_error(const std::string& what = "a task failed") : error(what) {}
};

/// Where a task's exception was thrown.
struct remote_info {
  int rank = -1;             ///< rank of the worker in the pool's communicator
  std::string host;          ///< its host name
  std::uint64_t task = 0;    ///< future::id() of the task
  std::string type_name;     ///< demangled type of what was thrown there
  std::string trace;         ///< printable stack of the throw; empty where the platform gives none
};

namespace detail {

// Second base of every exception that is rebuilt on rank 0: carries the context beside the type itself.
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

/// Where `e` was thrown, or null if it was not thrown in a task. Valid as long as `e` is.
const remote_info* remote_context(const std::exception& e) noexcept;
/// The same for a captured exception of any type.
const remote_info* remote_context(const std::exception_ptr& e) noexcept;

}  // namespace rankpool
