// Handles exit() and quick_exit() in a process that serves or leads a pool.
//
// On rank 0 the program ends, for example because a command line parser handles --help. The pool is stopped in an orderly way,
// MPI is finalized, and every rank ends. Workers end with status 0, so the launcher returns the status of rank 0.
//
// On a worker, a task has ended the process. The worker logs a message, because MPI and the launcher may write none.
// _exit() and exec() call no handler, so this process cannot report them.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace rankpool::detail {

/// Marks this process as a worker of a pool while the object lives. If the process exits, an error is logged that begins with
/// `name`. Thread safety: several threads may serve pools.
class serving {
 public:
  explicit serving(std::string name);
  serving(const serving&) = delete;
  serving& operator=(const serving&) = delete;
  ~serving();

  const std::string& name() const { return name_; }

 private:
  const std::string name_;
};

/// Marks this process as rank 0 of a pool while the object lives. If the process exits, `end` is called with the exit status (0
/// for quick_exit()), and then MPI is finalized. This does not happen if the process also serves a pool.
/// Blocks: the destructor blocks for ever if another thread has called exit(), so that the program does not continue meanwhile.
class leading {
 public:
  explicit leading(std::function<void(int status)> end);
  leading(const leading&) = delete;
  leading& operator=(const leading&) = delete;
  ~leading();

  void end(int status) const { end_(status); }

 private:
  const std::function<void(int status)> end_;
};

/// MPI is not finalized in this process any more, because that would wait for ranks that are lost.
void skip_finalization();
bool is_finalization_skipped();

/// After start(), ends this process if the object still exists 10 s later: the collective calls at the end of the session and of
/// MPI wait for a rank that was lost meanwhile.
class ending_limit {
 public:
  /// The time begins.
  void start();

 private:
  std::jthread thread_;
};

/// Finalizes MPI, ends the processes that tasks have left (left_processes.hpp), and ends a worker's process, after rank 0 has
/// called exit(). `in_task`: another thread of this process runs a task. The process then ends without calling exit handlers and
/// destructors of static objects.
[[noreturn]] void exit_as_worker(bool in_task);

}  // namespace rankpool::detail
