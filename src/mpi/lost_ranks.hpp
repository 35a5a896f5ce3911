// Notices on rank 0 that other ranks of its node have ended.
//
// MPI reports nothing: sends to such a rank and receives from it stay pending for ever. A rank that is not useful any more, because
// it was stopped for long or runs another program, is killed, so that it cannot come back.
#pragma once

#include "mpi/process_watch.hpp"
#include "mpi/termination.hpp"

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rankpool::detail {

/// Thread safety: one thread at a time may call the functions.
class lost_ranks {
 public:
  struct loss {
    int rank = 0;
    termination end;
    std::string cause;  ///< as a part of a sentence
  };
  /// Returns what a rank of this node has noted about its end.
  using note_reader = std::function<termination(int rank)>;

  /// `processes`: the ranks to watch. `on_loss`: called on another thread when take() has a loss. `stopped_limit`: how long a
  /// process may be stopped.
  lost_ranks(const std::map<pid_t, int>& processes, note_reader note, std::function<void()> on_loss,
             std::chrono::nanoseconds stopped_limit);

  /// Returns whether take() has a loss.
  bool any() const { return any_.load(std::memory_order_relaxed); }
  /// Returns whether the process of a rank has ended. take() may not have the loss yet.
  bool has_ended(int rank) const;
  /// Returns a loss that was not returned before.
  std::optional<loss> take();

 private:
  void on_event(pid_t process, process_watch::event what);

  const std::map<pid_t, int> ranks_;
  const note_reader note_;
  const std::function<void()> on_loss_;
  const std::chrono::nanoseconds stopped_limit_;
  std::mutex mutex_;
  std::vector<loss> losses_;
  std::atomic<bool> any_ = false;
  process_watch watch_;  // the last member: its thread uses the others
};

}  // namespace rankpool::detail
