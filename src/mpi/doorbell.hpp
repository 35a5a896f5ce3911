// How an idle rank sleeps without being late: a futex in memory that the ranks of a node share.
//
// MPI itself can only wait by polling, at the price of a whole core. Here a rank that has found nothing for a
// while sleeps on its bell, and whoever sends to it rings. One that lets messages gather dozes: only urgent ones wake
// it. Between nodes there is no bell: such ranks wake up by themselves, the more rarely the longer nothing has come.
#pragma once

#include <boost/mpi/communicator.hpp>
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <cstdint>
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

  /// Wakes that rank if it sleeps, or dozes and this is urgent, and lives on this node. From any thread.
  void ring(int rank, bool urgent);
  /// As an urgent ring, but tells of no new message.
  void prompt(int rank);
  /// Messages that others have rung for, modulo 2^32.
  std::uint32_t messages() const { return own_->messages.load(); }
  /// Wakes this rank. From any thread.
  void ring_own(bool urgent) {
    own_rings_.fetch_add(1);
    ring(*own_, urgent, 0);
  }

  /// Changes with each ring of this rank's bell.
  std::uint32_t rings() const { return own_->rings.load(); }
  /// How often other ranks have rung, modulo 2^16.
  std::uint16_t rings_of_others() const { return static_cast<std::uint16_t>(rings() - own_rings_.load()); }
  /// Sleeps until the bell has been rung since `seen`, or the time is up. Announce first, look again for messages,
  /// then sleep or take the announcement back: a sender that rings in between is not missed. From any thread.
  void announce_sleep() { own_->sleepers.fetch_add(1); }
  void cancel_sleep() { own_->sleepers.fetch_sub(1); }
  void sleep(std::uint32_t seen, std::chrono::nanoseconds at_most);

  /// Sleeps until there has been an urgent ring since `seen`, or the time is up. From any thread.
  void doze(std::uint32_t seen, std::chrono::steady_clock::time_point until);

  /// Whether every rank of the communicator can ring this one.
  bool all_on_node() const { return all_on_node_; }
  /// Of the communicator, this one included.
  int ranks_on_node() const { return ranks_on_node_; }

 private:
  struct alignas(64) bell {
    std::atomic<std::uint32_t>
        rings;  // all of them in the lower half, the urgent ones in the upper; what overflows counts as urgent
    std::atomic<std::uint32_t> messages;
    std::atomic<std::uint32_t> sleepers;
    std::atomic<std::uint32_t> dozers;
  };
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

  static void* place_in(void* memory);
  static void ring(bell& b, bool urgent, std::uint32_t messages);

  MPI_Comm node_ = MPI_COMM_NULL;
  MPI_Win window_ = MPI_WIN_NULL;
  bell alone_{};             // where no other rank is on this node
  bell* own_ = &alone_;
  std::vector<bell*> bells_;  // by rank; null where out of reach
  bool all_on_node_ = true;
  int ranks_on_node_ = 1;
  std::atomic<std::uint32_t> own_rings_ = 0;
};

}  // namespace rankpool::detail
