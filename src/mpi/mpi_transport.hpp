// Frames over MPI, between rank 0 of a pool (the root) and its workers.
//
// Only Isend, Irecv, Improbe, Imrecv and Test: nothing here ever blocks on a rank that is slow or gone. A frame is
// one message; its bulk buffers follow as messages of their own, received where they will stay, in pieces below
// MPI's limit of 2^31 elements.
#pragma once

#include "doorbell.hpp"

#include "../core/transport.hpp"

#include <boost/mpi/communicator.hpp>
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <vector>

namespace rankpool::detail {

class mpi_transport final : public transport {
 public:
  /// Collective over the communicator, which must outlive it. `nodes`: of each rank; the first rank of each, or the
  /// root, takes part in broadcasts.
  mpi_transport(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes);
  mpi_transport(const mpi_transport&) = delete;
  mpi_transport& operator=(const mpi_transport&) = delete;
  /// Collective over the communicator.
  ~mpi_transport() override;

  /// Of this node, other than the root.
  double workers_per_core() const;

  void send(int peer, frame f) override;
  bool receive(int& peer, frame& f) override;
  void broadcast(std::span<std::byte> bytes, std::function<void()> done) override;
  bool transferring() const override;
  bool sent_all() override;
  bool unread() const override;
  bool peers_ring() const override { return bells_.all_on_node(); }
  std::uint32_t rings() const override { return bells_.rings(); }
  bool look(std::uint32_t seen, const std::atomic<int>& give_way, std::chrono::nanoseconds quiet) override;
  bool prepare_sleep(std::uint32_t seen) override;
  void sleep(std::uint32_t seen, steady_time deadline) override;
  void wake() override { bells_.ring_own(true); }
  void doze(std::uint32_t seen, steady_time until) override;
  void nudge() override { bells_.ring_own(false); }

 private:
  struct outgoing {
    frame content;
    std::vector<MPI_Request> requests;
    int to = 0;
  };
  struct incoming {
    byte_buffer head;
    MPI_Request head_request = MPI_REQUEST_NULL;
    blocks bulk;
    std::vector<MPI_Request> bulk_requests;
    bool head_here = false;
  };

  struct running_broadcast {
    std::vector<MPI_Request> requests;
    std::function<void()> done;
  };

  int rank_of(int peer) const;
  int peer_of(int rank) const;
  bool fits_unread(int to, const frame& f);
  /// Messages that were rung for and not found yet; below 0 if one was found before its ring.
  std::int32_t owed() const { return static_cast<std::int32_t>(bells_.messages() - found_); }
  void finish_sends();
  void forget_posted();
  void forget_posted(int rank);
  void finish_broadcasts();
  bool accept_next();
  void probe();
  bool advance(int rank, incoming& m);
  bool complete(std::vector<MPI_Request>& requests);
  bool message_waiting();
  bool nothing_new() const;

  const boost::mpi::communicator& world_;
  const int root_;
  const bool leading_;
  doorbells bells_;
  const std::chrono::nanoseconds patience_;  // as long as polling is better than to sleep and be woken
  MPI_Comm one_of_each_node_ = MPI_COMM_NULL;  // the root first; null for the others, and where there is one node
  std::list<running_broadcast> broadcasts_;
  std::list<outgoing> sends_;  // a list: MPI reads from where they are
  // By rank: frames that lie in memory of both sides already. Open MPI calls them sent only when they have been read, and
  // to ask it costs a turn of the core; so it is asked when the receiver has sent something. How much of that memory may
  // be taken: what was sent after the receiver's last answer, and between that and the one before.
  struct unread_bytes {
    std::size_t before = 0;
    std::size_t since = 0;
  };
  std::vector<std::deque<outgoing>> posted_;
  std::vector<unread_bytes> unread_;
  std::size_t posted_count_ = 0;
  std::vector<std::deque<incoming>> arriving_;  // by rank, in order of arrival
  std::vector<int> arriving_from_;              // the ranks that have any there
  // Where every message rings, MPI need not be asked when as many have come as were rung for. To ask in vain costs a turn
  // of the core where cores are shared, because MPI yields it when it finds nothing.
  std::uint16_t rings_at_probe_ = 0;
  std::uint32_t found_ = 0;                   // messages, modulo 2^32
  std::atomic<bool> watchful_ = false;        // the next sleep: something that was rung for has not come, or may not have left
  std::atomic<std::int64_t> watchful_pause_;  // nanoseconds; grows while nothing comes
  int misses_ = 0;
  std::atomic<bool> slept_ = false;  // then look all the same: nothing depends on bells alone
  std::atomic<std::int64_t> off_node_pause_;  // nanoseconds; grows while nothing comes
};

}  // namespace rankpool::detail
