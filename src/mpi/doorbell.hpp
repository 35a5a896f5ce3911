// The doorbells of the ranks: an idle rank sleeps on a futex in memory that the ranks of a node share.
//
// MPI can wait only by polling, which takes a whole core. A rank that has found no message for a while sleeps on its bell instead,
// and each sender rings the bell. A rank that lets messages accumulate dozes: only urgent rings wake it. Ranks of other nodes
// cannot ring. A rank with peers on other nodes therefore sleeps for short times, which grow until a message arrives.
#pragma once

#include "transport/transport.hpp"

#include <mpi.h>
#include <boost/mpi/communicator.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace rankpool::detail {

class doorbells {
 public:
  /// Collective over the communicator.
  explicit doorbells(const boost::mpi::communicator& world);
  doorbells(const doorbells&) = delete;
  doorbells& operator=(const doorbells&) = delete;
  /// Collective over the communicator.
  ~doorbells();

  /// What a rank notes for the other ranks of its node. All words are 0 at first.
  struct alignas(64) notes {
    std::atomic<std::uint32_t> end;         ///< an encoded termination
    std::atomic<std::uint32_t> reads_root;  ///< 1: the rank can read the root's memory
    std::atomic<std::uint32_t> root_reads;  ///< 1: the root can read the rank's memory; set by the root
    task_note running;
  };
  notes& own_notes() { return own_->noted; }
  /// `rank` must be on this node.
  notes& notes_of(int rank) const { return bells_[static_cast<std::size_t>(rank)]->noted; }

  /// Tells a rank of this node that a message for it is on the way. Wakes the rank if it sleeps, or if it dozes and the ring is
  /// urgent. Does nothing for ranks of other nodes. Thread safety: any thread.
  void ring(int rank, bool urgent);
  /// As an urgent ring, but announces no message.
  void prompt(int rank);
  /// Warns a rank of this node that this rank can send no messages, and rings urgently. A later warning replaces one that was not
  /// taken. Calls no function of MPI.
  void warn(int rank);
  /// Returns the rank that has warned this one, once.
  std::optional<int> take_warning() {
    if (own_->warned_by.load(std::memory_order_relaxed) == 0) return std::nullopt;
    return static_cast<int>(own_->warned_by.exchange(0)) - 1;
  }
  /// Tells a rank that this rank has read remote blocks of it. Does not wake it. `rank` must be on this node.
  void add_blocks_read(int rank, std::uint32_t number) { bells_[static_cast<std::size_t>(rank)]->blocks_read.fetch_add(number); }
  /// Returns the number of remote blocks of this rank that others have read, modulo 2^32.
  std::uint32_t blocks_read() const { return own_->blocks_read.load(); }
  /// Returns the number of messages that other ranks have announced, modulo 2^32.
  std::uint32_t messages() const { return own_->messages.load(); }
  /// Wakes this rank. Thread safety: any thread.
  void ring_own(bool urgent) {
    own_rings_.fetch_add(1);
    ring(*own_, urgent, 0);
  }

  /// Returns a counter that changes with each ring of this rank's bell.
  std::uint32_t rings() const { return own_->rings.load(); }
  /// Returns the number of rings by other ranks, modulo 2^16.
  std::uint16_t rings_of_others() const { return static_cast<std::uint16_t>(rings() - own_rings_.load()); }
  /// sleep() blocks until the bell rings after `seen`, or for the time `at_most`. Call announce_sleep() first, check for messages
  /// again, then call sleep() or cancel_sleep(). A ring in between is not missed. Thread safety: any thread.
  void announce_sleep() { own_->sleepers.fetch_add(1); }
  void cancel_sleep() { own_->sleepers.fetch_sub(1); }
  void sleep(std::uint32_t seen, std::chrono::nanoseconds at_most);

  /// Blocks until an urgent ring after `seen`, or until the time `until`. Thread safety: any thread.
  void doze(std::uint32_t seen, std::chrono::steady_clock::time_point until);

  /// Returns whether all ranks of the communicator are on this node, and can ring this rank.
  bool all_on_node() const { return all_on_node_; }
  /// Returns the number of ranks of the communicator on this node, including this one.
  int ranks_on_node() const { return ranks_on_node_; }
  /// Returns whether a rank is on this node.
  bool is_on_node(int rank) const { return bells_[static_cast<std::size_t>(rank)] != nullptr; }

 private:
  struct alignas(64) bell {
    // The lower half counts all rings, the upper half urgent rings. An overflow of the lower half counts as urgent.
    std::atomic<std::uint32_t> rings;
    std::atomic<std::uint32_t> messages;
    std::atomic<std::uint32_t> sleepers;
    std::atomic<std::uint32_t> dozers;
    std::atomic<std::uint32_t> warned_by;  // 1 + the rank; 0: none
    std::atomic<std::uint32_t> blocks_read;
    notes noted;
  };
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);

  static void* place_in(void* memory);
  static void ring(bell& b, bool urgent, std::uint32_t messages);

  const int rank_;  // of this process
  MPI_Comm node_ = MPI_COMM_NULL;
  MPI_Win window_ = MPI_WIN_NULL;
  bell alone_{};  // used if no other rank is on this node
  bell* own_ = &alone_;
  std::vector<bell*> bells_;  // by rank; null: on another node
  bool all_on_node_ = true;
  int ranks_on_node_ = 1;
  std::atomic<std::uint32_t> own_rings_ = 0;
};

}  // namespace rankpool::detail
