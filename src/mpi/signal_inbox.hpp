// A queue of the signals that this process gets. poll() can wait for it together with other events.
#pragma once

#include <signal.h>

#include <array>
#include <chrono>

namespace rankpool::detail {

/// Queues signals to this process instead of executing their action, while the object lives. An ignored signal stays ignored, as
/// nohup and shells require; SIGCHLD is always queued. Only one object may exist at a time.
class signal_inbox {
 public:
  /// Throws: std::system_error if the process lacks descriptors.
  signal_inbox();
  /// Restores the previous actions; those of repeated stop signals only once the time of ignore_repetitions() is over.
  ~signal_inbox();
  signal_inbox(const signal_inbox&) = delete;
  signal_inbox& operator=(const signal_inbox&) = delete;

  /// Returns a descriptor that is readable while a signal is queued.
  int descriptor() const { return ends_[0]; }
  /// Removes and returns the next signal; 0 if there is none. Does not block.
  int next();

  /// SIGINT, SIGTERM or SIGUSR1 that arrives after the object is destroyed, but before `end`, repeats an earlier signal and is
  /// ignored. Without this it would end the process while it returns the status of an orderly stop.
  void ignore_repetitions(std::chrono::steady_clock::time_point end);

  /// Restores the default actions in a child process, before exec. Async-signal-safe.
  static void reset_actions();

 private:
  static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGTSTP, SIGCONT, SIGCHLD};

  std::array<int, 2> ends_{-1, -1};  // of a pipe
  std::array<struct sigaction, signals.size()> previous_actions_{};
};

}  // namespace rankpool::detail
