// Where threads of rank 0 wait for something of the pool to complete.
//
// A waiting thread may be put to use: it drives the pool meanwhile, which spares the switch to another thread and
// back, and in an inline cluster is the only way that anything happens.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>

namespace rankpool::detail {

using steady_time = std::chrono::steady_clock::time_point;
using timeout = std::optional<std::chrono::nanoseconds>;

/// The point in time at which a timeout that starts now is up; none and the very long ones: never.
inline steady_time deadline_after(const timeout& t) {
  if (!t) return steady_time::max();
  const auto now = std::chrono::steady_clock::now();
  return *t > steady_time::max() - now ? steady_time::max() : now + *t;
}

/// A reference to a condition, for the length of a call.
class condition_ref {
 public:
  template <class Condition>
    requires(!std::is_same_v<std::remove_cvref_t<Condition>, condition_ref>)
  condition_ref(Condition& condition)  // NOLINT(google-explicit-constructor): a parameter type only
      : object_(std::addressof(condition)), call_([](void* c) { return static_cast<bool>((*static_cast<Condition*>(c))()); }) {}
  bool operator()() const { return call_(object_); }

 private:
  void* object_;
  bool (*call_)(void*);
};

class wait_room {
 public:
  virtual ~wait_room() = default;

  /// Blocks until ready() or the deadline; returns ready(). `ready` must be safe to call from this thread at any
  /// time, and must not take a lock that is held while notify() is called.
  template <class Ready>
  bool wait_until(steady_time deadline, Ready ready) {
    return ready() || wait_for(deadline, condition_ref(ready));
  }

  /// Makes the waiting threads look again; call after the change is visible.
  virtual void notify() = 0;
  /// Gives the pool one step on this thread if nobody else would: for polling in an inline cluster.
  virtual void poll() = 0;
  /// In an inline cluster runs everything that can run now, unless this thread is at it already: for somebody who
  /// wants to be called back, and may wait for that where the pool does not see it.
  virtual void settle() = 0;

 private:
  virtual bool wait_for(steady_time deadline, condition_ref ready) = 0;
};

}  // namespace rankpool::detail
