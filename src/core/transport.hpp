// How frames get from one side to the other. One object for each process; peers are workers 0 to n-1 on rank 0's
// side, and 0 (rank 0) on a worker's.
//
// All calls but sleep(), doze(), wake() and nudge() come from one thread at a time. Waiting has two parts, because only
// the first needs that exclusive right: look() polls for a while; then prepare_sleep() and sleep(). Where messages keep
// coming and none is in a hurry, doze() lets them gather instead.
#pragma once

#include "frame.hpp"

#include <rankpool/detail/wait_room.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace rankpool::detail {

class transport {
 public:
  virtual ~transport() = default;

  /// Frames of up to this size leave at once, without the receiver's help, in bytes.
  static constexpr std::size_t prompt_bytes = 4000;  // Open MPI's eager limit in shared memory, less its header

  /// Starts to send; never blocks. Frames to one peer arrive in order.
  virtual void send(int peer, frame f) = 0;
  /// Moves transfers on; true and a frame if one has arrived.
  virtual bool receive(int& peer, frame& f) = 0;
  /// Whether transfers are under way that need receive() to be called to get on.
  virtual bool transferring() const = 0;
  /// Whether something is known to have come that receive() has not given yet. False where that cannot be known.
  virtual bool unread() const { return false; }
  /// Looks after what was sent; whether every frame is out of this side's hands. At the end, receive() until it is.
  virtual bool sent_all() { return !transferring(); }

  /// Takes part in sending data from rank 0 to one worker of every other node, as a tree. All of them call this in the
  /// same order, the worker with room for what comes. `done` is called once, within receive(); the bytes live until then.
  virtual void broadcast(std::span<std::byte> bytes, std::function<void()> done) = 0;

  /// Whether every peer's message rings; otherwise somebody must look now and then.
  virtual bool peers_ring() const = 0;
  /// Counts what ends a sleep: messages and calls of wake().
  virtual std::uint32_t rings() const = 0;
  /// Polls for about as long as it takes to be woken, but hardly if nothing is expected for the next `quiet` (0: not
  /// known). True if something may have arrived since `seen`, or others want the right to call (`give_way` above 0).
  virtual bool look(std::uint32_t seen, const std::atomic<int>& give_way, std::chrono::nanoseconds quiet) = 0;
  /// Says that a thread is about to sleep and looks once more: false, and no sleep, if something is there.
  virtual bool prepare_sleep(std::uint32_t seen) = 0;
  /// After prepare_sleep: sleeps until there is a ring after `seen`, the time is up, or (where a message cannot
  /// ring) it is time to look again. Any thread.
  virtual void sleep(std::uint32_t seen, steady_time deadline) = 0;
  /// Ends the sleep or doze of every thread of this process, now or the next. Any thread.
  virtual void wake() = 0;

  /// Sleeps until there is an urgent frame or a call of wake() after `seen`, or the time is up; what is not urgent
  /// waits, and costs its sender nothing. Any thread. A transport that cannot do that returns at once.
  virtual void doze(std::uint32_t seen, steady_time until) { (void)seen, (void)until; }
  /// As wake(), but lets threads doze on. Any thread.
  virtual void nudge() { wake(); }

  /// Waits until something may have arrived, or the deadline.
  void wait(steady_time deadline) {
    static const std::atomic<int> nobody = 0;
    const std::uint32_t seen = rings();
    if (!look(seen, nobody, {}) && prepare_sleep(seen)) sleep(seen, deadline);
  }
};

}  // namespace rankpool::detail
