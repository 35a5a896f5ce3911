// Where a task's exception was thrown: the stack at the throw, noted when it happens and named when it is sent.
//
// C++ forgets the stack before a handler runs, so the note is taken in __cxa_throw, through which every throw
// expression passes: this library defines it in front of the runtime's own. Only addresses are kept, and only
// within a task; names are looked up once somebody wants them.
#pragma once

#include <exception>
#include <string>

namespace rankpool::detail {

/// The stack of the throw of `e` on this thread, one frame a line, innermost first and up to the task's own function.
/// Empty where it is not known: thrown on another thread, or never thrown but made by std::make_exception_ptr (if that
/// took the place of one which this task had thrown and dropped, it passes for it).
std::string throw_trace(const std::exception_ptr& e);

/// Drops the notes: no exception of the task before may be taken for one of the next.
void forget_throws() noexcept;

}  // namespace rankpool::detail
