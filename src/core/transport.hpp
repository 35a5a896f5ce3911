// How frames get from one side to the other. One object for each process; peers are workers 0 to n-1 on rank 0's
// side, and 0 (rank 0) on a worker's. All calls but wake() come from one thread at a time.
#pragma once

#include "frame.hpp"

#include <rankpool/detail/wait_room.hpp>

namespace rankpool::detail {

class transport {
 public:
  virtual ~transport() = default;

  /// Starts to send; never blocks. Frames to one peer arrive in order.
  virtual void send(int peer, frame f) = 0;
  /// Moves transfers on; true and a frame if one has arrived.
  virtual bool receive(int& peer, frame& f) = 0;
  /// Whether sends are under way that need receive() to be called to get on.
  virtual bool sending() const = 0;
  /// Sleeps until something may have arrived, wake() is called, or the deadline.
  virtual void wait(steady_time deadline) = 0;
  /// Ends a wait(), now or the next. From any thread.
  virtual void wake() = 0;
};

}  // namespace rankpool::detail
