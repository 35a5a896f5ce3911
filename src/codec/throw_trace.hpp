// Stack traces of exceptions that tasks throw.
//
// C++ unwinds the stack before a handler runs, so the stack must be recorded at the throw. Every throw expression calls
// __cxa_throw, which this library replaces. It records only addresses, and only while recording is enabled on the thread. Names
// are looked up when a trace is requested.
#pragma once

#include <exception>
#include <string>

namespace rankpool::detail {

/// Returns the stack at the throw of `e`: one frame a line, innermost first, up to the task's own function.
///
/// Returns an empty string if the stack is unknown, because `e` was thrown on another thread or created by
/// std::make_exception_ptr. An exception created by std::make_exception_ptr gets a wrong trace if it has the address of an
/// exception that this task threw and destroyed before.
std::string throw_trace(const std::exception_ptr& e);

/// Deletes the records of this thread, so that an exception of the next task is not mistaken for one of this task.
void forget_throws() noexcept;
/// Reads the debug information of the program, which takes about 0.1 s in the first trace of a process otherwise. Processes that
/// are forked afterwards have it as well.
void prepare_throw_traces();

/// Enables or disables recording on this thread. Returns whether it was enabled before.
bool set_throw_recording(bool enabled) noexcept;

/// Enables or disables recording on this thread while the object lives.
class throw_recording {
 public:
  explicit throw_recording(bool enabled) noexcept : before_(set_throw_recording(enabled)) {}
  throw_recording(const throw_recording&) = delete;
  throw_recording& operator=(const throw_recording&) = delete;
  ~throw_recording() { set_throw_recording(before_); }

 private:
  const bool before_;
};

}  // namespace rankpool::detail
