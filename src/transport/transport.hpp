// The interface that moves frames between rank 0 and its workers. Each process has one object. The peers of rank 0 are the workers
// 0 to n-1. The only peer of a worker is 0, which is rank 0.
//
// Thread safety: has_lost_descriptors(), tell_lost_descriptors(), sleep(), doze(), wake() and nudge() may be called from any
// thread, all other functions from one thread at a time. A wait therefore has two parts: look() and prepare_sleep() poll, and
// sleep() blocks without the exclusive right to call. A ring is the notification with which a sender or another thread of the
// process wakes a sleeping thread. A thread that calls doze() instead of sleep() is woken only by urgent frames, so that other
// frames accumulate.
#pragma once

#include "wire/frame.hpp"

#include <rankpool/detail/support/steady_time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace rankpool::detail {

/// Where a worker notes what it runs. Rank 0 reads it when the worker's process has ended.
struct task_note {
  static constexpr std::uint64_t any_item = ~std::uint64_t{0};
  std::atomic<std::uint64_t> task;  ///< its number; 0: none
  std::atomic<std::uint64_t> item;  ///< index within the items of the task; any_item: it runs in another process
};

/// A peer that sends nothing more, because its process has ended.
struct lost_peer {
  int peer = 0;
  struct position {
    std::uint64_t task = 0;  ///< see task_note
    std::uint64_t item = 0;
  };
  int signal = 0;                                  ///< that ended the process; 0: none, or it is unknown
  int exit_status = 0;                             ///< if the process has exited
  std::string cause;                               ///< such as "was ended by signal 11 (Segmentation fault)"
  std::optional<position> running = std::nullopt;  ///< what it was running; none: it is not known
};

/// What a waiting rank knows about the messages to come.
struct expectation {
  std::chrono::nanoseconds quiet{};            ///< no message is expected for this time; 0: unknown
  std::optional<std::size_t> busy_peers = {};  ///< the number of peers that compute; none: unknown
};

class transport {
 public:
  virtual ~transport() = default;

  /// Returns the size, in bytes, at which a frame should be sent instead of collecting more records.
  virtual std::size_t preferred_frame_bytes() const { return 4000; }

  /// Starts to send a frame. Never blocks. Frames to one peer arrive in order.
  virtual void send(int peer, frame f) = 0;
  /// Drives transfers. Returns true and a frame if one has arrived.
  virtual bool receive(int& peer, frame& f) = 0;
  /// Returns a peer that was lost and was not returned before. What it has sent and was not received yet is discarded, as is what
  /// is sent to it.
  virtual std::optional<lost_peer> take_lost() { return std::nullopt; }
  /// Stops reporting losses.
  virtual void end_watch() {}
  /// Returns where this worker notes what it runs, or null if nobody reads that.
  virtual task_note* running_task() { return nullptr; }
  /// Returns whether the processes of this rank and of a peer may read each other's memory. Then frames may have remote blocks: a
  /// worker receives them as such, and rank 0 receives their data, or the remote block if its process has ended. A remote block
  /// that a worker sends lives until rank 0 has read the data.
  virtual bool reads_memory_of(int peer) const {
    (void)peer;
    return false;
  }
  /// Returns whether transfers are pending that advance only in calls of receive().
  virtual bool transferring() const = 0;
  /// Returns whether a message is known to have arrived and was not returned by receive() yet. False if the transport cannot know.
  virtual bool unread() const { return false; }
  /// Drives pending sends. Returns whether every frame has left this process. Before the process ends, call it and receive() in
  /// turn until it returns true.
  virtual bool sent_all() { return !transferring(); }

  /// Returns whether a task has closed the descriptors of the transport, whose other functions may then block for ever.
  /// Thread safety: any thread.
  virtual bool has_lost_descriptors() const { return false; }
  /// Tells rank 0 that this worker has lost its descriptors. It learns this only if it is on the same node. Thread safety: any
  /// thread.
  virtual void tell_lost_descriptors() {}
  /// On rank 0: returns a worker that has called tell_lost_descriptors(), once.
  virtual std::optional<int> take_peer_without_descriptors() { return std::nullopt; }

  /// Returns whether broadcast() may be called. False if workers may be lost, because a broadcast would block; rank 0 then sends
  /// shared values as frames.
  virtual bool has_broadcasts() const { return true; }
  /// Takes part in a broadcast from rank 0 to one worker of every other node. All participants start their broadcasts in the same
  /// order. On a worker, `bytes` is the memory for the received data. receive() calls `done` once.
  /// Lifetime: `bytes` must be valid until then.
  virtual void broadcast(std::span<std::byte> bytes, std::function<void()> done) = 0;
  /// Takes part in a broadcast of `size` bytes on a worker that has no memory for them: passes the bytes on and discards them.
  virtual void drop_broadcast(std::size_t size) { (void)size; }

  /// Returns whether the messages of every peer ring. If not, a waiting thread must poll from time to time.
  virtual bool peers_ring() const = 0;
  /// Returns a counter that changes with each event that ends a sleep: a message that rings, wake() or nudge().
  virtual std::uint32_t rings() const = 0;
  /// Polls for about as long as a wake-up takes, or only once if no message is expected in that time. Returns true if a message may
  /// have arrived since `seen`, or if other threads wait for the right to call. `waiting_threads`: the number of these threads.
  virtual bool look(std::uint32_t seen, const std::atomic<int>& waiting_threads, const expectation& expected) = 0;
  /// Announces that a thread is about to sleep, and polls once more. If a message may have arrived, withdraws the announcement and
  /// returns false; the thread must not sleep then.
  virtual bool prepare_sleep(std::uint32_t seen) = 0;
  /// Sleeps until a ring after `seen`, until the deadline, or, if a peer cannot ring, until it is time to poll. Call
  /// prepare_sleep() first. Thread safety: any thread.
  virtual void sleep(std::uint32_t seen, steady_time deadline) = 0;
  /// Ends the current or next sleep or doze of each thread of this process. Thread safety: any thread.
  virtual void wake() = 0;

  /// Sleeps until an urgent frame or a call of wake() after `seen`, or until the time `until`. Other frames do not
  /// end the sleep, which saves their senders a system call. A transport without this function returns at once.
  /// Thread safety: any thread.
  virtual void doze(std::uint32_t seen, steady_time until) { (void)seen, (void)until; }
  /// As wake(), but ends no doze. Thread safety: any thread.
  virtual void nudge() { wake(); }

  /// Waits until a message may have arrived. Blocks: until the deadline at most.
  void wait(steady_time deadline) {
    static const std::atomic<int> no_threads = 0;
    const std::uint32_t seen = rings();
    if (!look(seen, no_threads, {}) && prepare_sleep(seen)) sleep(seen, deadline);
  }
};

}  // namespace rankpool::detail
