// Work that is done in steps, as a driver sees it.
#pragma once

#include "transport/transport.hpp"

#include <rankpool/detail/support/steady_time.hpp>

#include <chrono>
#include <exception>
#include <optional>

namespace rankpool::detail {

/// Called by one thread at a time, but for has_idle_worker().
class stepper {
 public:
  stepper() = default;
  stepper(const stepper&) = delete;
  stepper& operator=(const stepper&) = delete;

  /// Does what can be done now. False: there was nothing.
  virtual bool step() = 0;
  /// The part of a step that sends submitted tasks, without calling back into the program. True: a step has more to do.
  virtual bool send_submitted() = 0;
  /// A step has thrown `why`: all waiting threads are notified, and no step follows.
  virtual void fail(const std::exception_ptr& why) = 0;
  /// Takes the last events; later ones are refused.
  virtual void close() = 0;

  /// A worker has nothing to do. Thread safety: any thread.
  virtual bool has_idle_worker() const = 0;
  /// For how long messages may gather because none is urgent; 0 if one may be.
  virtual std::chrono::nanoseconds may_gather_for(steady_time now) const = 0;
  /// For how long no message of a worker is expected, and how many workers have tasks.
  virtual expectation expected(steady_time now) const = 0;
  /// When a step has something to do although nothing has happened; none: never.
  virtual std::optional<steady_time> next_check(steady_time now) const = 0;

 protected:
  ~stepper() = default;
};

}  // namespace rankpool::detail
