// The interface through which threads of rank 0 wait for the pool.
//
// A waiting thread may drive the pool meanwhile, which saves the switch to another thread and back. In an inline cluster, which has
// no progress thread, tasks run only because waiting threads drive the pool.
#pragma once

#include <rankpool/detail/support/steady_time.hpp>

#include <memory>
#include <type_traits>

namespace rankpool::detail {

/// A reference to a predicate. Lifetime: the predicate must outlive the call that gets the reference.
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

  /// Waits until ready() is true, and returns ready(). `ready` must be safe to call from this thread at any time, and must not take
  /// a lock that is held while notify() is called.
  /// Blocks: until the deadline at the latest.
  template <class Ready>
  bool wait_until(steady_time deadline, Ready ready) {
    return ready() || wait_for(deadline, condition_ref(ready));
  }

  /// Makes the waiting threads evaluate their conditions again. Call it after the change is visible.
  virtual void notify() = 0;
  /// In an inline cluster, drives the pool one step, unless another thread drives it. Otherwise does nothing.
  virtual void poll() = 0;
  /// In an inline cluster, runs everything that can run now, unless a thread drives the pool already. Call it after a callback was
  /// registered: the program may wait for the callback in a way that does not drive the pool.
  virtual void settle() = 0;

 private:
  virtual bool wait_for(steady_time deadline, condition_ref ready) = 0;
};

}  // namespace rankpool::detail
