// Ends a copy of this process that a task has forked and that returns from the task.
//
// Such a child is a copy of a rank or of a runner process. It would take the messages or the calls of the original process, and
// answer them a second time.
#pragma once

#include <cstdint>

namespace rankpool::detail {

class copy_guard {
 public:
  copy_guard();
  /// Ends this process with an error message if it has been forked since the object was made. Complexity: one load.
  void check() const {
    if (generation_ != current) end_copy();
  }

 private:
  [[noreturn]] static void end_copy();

  static std::uint32_t current;  // changes only in the child of a fork, before it has threads
  const std::uint32_t generation_;
};

}  // namespace rankpool::detail
