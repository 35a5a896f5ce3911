// How a process of the run has ended, as far as it is known to others.
//
// Only its parent, the launcher, learns how a process has ended. A rank therefore leaves a note in memory of its node before a
// signal or exit() ends it. SIGKILL, _exit() and exec() leave none.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace rankpool::detail {

/// Thread safety: a value type.
struct termination {
  int signal = 0;       ///< that ended the process; 0: none, or it is unknown
  int exit_status = 0;  ///< if it has exited
  bool is_known = false;

  /// Returns the ending as a part of a sentence, such as "was ended by signal 11 (Segmentation fault)".
  std::string description() const;

  /// A word of memory that other processes read. 0: the ending is unknown.
  std::uint32_t encoded() const;
  static termination decoded(std::uint32_t word);
};

/// Leaves the note while the object lives. There is at most one in a process.
///
/// It handles the signals that end a process and have a default or a library's action, and passes them on to this action. A signal
/// handler that the program installs later leaves no note. SIGPIPE has no effect if stdout and stderr have readers, because MPI
/// causes it when it writes to a lost rank.
class termination_note {
 public:
  /// `place`: a word of shared memory, which must stay mapped until the process ends.
  explicit termination_note(std::atomic<std::uint32_t>& place);
  /// `tell`: gets the ending instead. It is called in a signal handler, so it may only call functions that are safe there.
  explicit termination_note(void (*tell)(const termination& end));
  ~termination_note();
  termination_note(const termination_note&) = delete;
  termination_note& operator=(const termination_note&) = delete;

  /// Leaves the note of a process that exits. Does nothing if the process has no note.
  static void leave(const termination& end);
};

}  // namespace rankpool::detail
