// A descriptor that child processes do not keep.
//
// A task may fork a process that outlives its worker. If the process had a copy of the worker's connection, the connection would
// not end with the worker. O_CLOEXEC covers only children that run another program.
#pragma once

namespace rankpool::detail {

/// While the object lives, processes that this one forks close their copies of the descriptor. Thread safety: any thread.
class closed_in_children {
 public:
  explicit closed_in_children(int descriptor);
  closed_in_children(const closed_in_children&) = delete;
  closed_in_children& operator=(const closed_in_children&) = delete;
  ~closed_in_children();

 private:
  const int descriptor_;
};

}  // namespace rankpool::detail
