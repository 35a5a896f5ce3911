// Frames over MPI, between rank 0 of a pool (the root) and its workers.
//
// All communication uses MPI's non-blocking calls, so that rank 0 never blocks on a rank that is slow or gone. A frame is one
// message. Its out-of-band buffers follow as separate messages, which MPI receives into their final memory. A buffer above 1 GiB is
// sent as several messages, because MPI limits a message to 2^31 - 1 elements.
#pragma once

#include "mpi/doorbell.hpp"
#include "mpi/lost_ranks.hpp"
#include "mpi/node_broadcasts.hpp"
#include "mpi/open_descriptors.hpp"
#include "mpi/outgoing_frame.hpp"
#include "mpi/send_window.hpp"

#include "transport/transport.hpp"

#include <mpi.h>
#include <boost/mpi/communicator.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rankpool::detail {

class mpi_transport final : public transport {
 public:
  /// Collective over the communicator. `nodes`: the node of each rank. The root and the first rank of every other node take part in
  /// broadcasts. Lifetime: the communicator and the doorbells must outlive the object.
  mpi_transport(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes, doorbells& bells);
  mpi_transport(const mpi_transport&) = delete;
  mpi_transport& operator=(const mpi_transport&) = delete;
  /// Collective over the communicator. Do not destroy an object that has lost a rank: the rank takes part in no collective call,
  /// and MPI may use the memory of abandoned transfers until the process ends.
  ~mpi_transport() override;

  /// A word in the memory of a process.
  struct word {
    pid_t process = 0;
    std::uint64_t address = 0;
    std::uint64_t value = 0;
  };
  /// Finds out whether this rank can read the memory of another one, of which it is given a word. Each worker of the root's node
  /// calls it for the root, and the root for each of them.
  void test_reading(int rank, const word& of);

  /// On the root: take_lost() returns ranks of this node that are lost from now on. `processes`: the process of each rank.
  /// `stopped_limit`: how long a process may be stopped.
  void begin_watch(const std::vector<pid_t>& processes, std::chrono::nanoseconds stopped_limit);
  void end_watch() override { losses_.reset(); }

  std::size_t preferred_frame_bytes() const override { return send_window::eager_bytes; }
  void send(int peer, frame f) override;
  bool receive(int& peer, frame& f) override;
  void broadcast(std::span<std::byte> bytes, std::function<void()> done) override { broadcasts_.start(bytes, std::move(done)); }
  void drop_broadcast(std::size_t size) override { broadcasts_.start_dropping(size); }
  std::optional<lost_peer> take_lost() override;
  bool reads_memory_of(int peer) const override;
  task_note* running_task() override { return &bells_.own_notes().running; }
  bool transferring() const override;
  bool sent_all() override;
  bool has_lost_descriptors() const override { return descriptors_.are_closed(); }
  void tell_lost_descriptors() override;
  std::optional<int> take_peer_without_descriptors() override;
  bool unread() const override;
  bool peers_ring() const override { return bells_.all_on_node(); }
  std::uint32_t rings() const override { return bells_.rings(); }
  bool look(std::uint32_t seen, const std::atomic<int>& waiting_threads, const expectation& expected) override;
  bool prepare_sleep(std::uint32_t seen) override;
  void sleep(std::uint32_t seen, steady_time deadline) override;
  void wake() override { bells_.ring_own(true); }
  void doze(std::uint32_t seen, steady_time until) override;
  void nudge() override { bells_.ring_own(false); }

 private:
  struct incoming {
    byte_buffer head;
    MPI_Request head_request = MPI_REQUEST_NULL;
    blocks bulk;
    std::vector<MPI_Request> bulk_requests;
    bool head_here = false;
    std::uint32_t remote_blocks = 0;
    std::optional<steady_time> unreadable_since;  // a remote block could not be read
    bool has_failed = false;                      // the sender has ended
  };

  int rank_of(int peer) const;
  int peer_of(int rank) const;
  /// Returns the number of messages that were announced by a ring and not found yet. It is below 0 if a message was found first.
  std::int32_t outstanding() const { return static_cast<std::int32_t>(bells_.messages() - found_); }
  void finish_sends();
  bool accept_next();
  void probe();
  bool advance(int rank, incoming& m);
  bool fetch_remote_blocks(int rank, incoming& m);
  void abandon(int rank);
  void keep_remote_blocks(const frame& f);
  void free_read_blocks();
  bool message_waiting();
  bool nothing_new() const;

  const open_descriptors descriptors_;
  const boost::mpi::communicator& world_;
  const int root_;
  const bool is_root_;
  doorbells& bells_;
  const int cores_;                              // of this node
  const std::chrono::nanoseconds polling_time_;  // how long a rank polls before it sleeps
  node_broadcasts broadcasts_;
  std::list<outgoing_frame> sends_;  // a list, because MPI reads from its elements
  // On a worker: the remote blocks of each frame, and the value of blocks_read() from which on the root has read them.
  std::deque<std::pair<blocks, std::uint32_t>> unread_;
  std::uint32_t remote_sent_ = 0;               // modulo 2^32
  send_window window_;                          // frames that have left, although MPI has not reported it yet
  std::vector<std::deque<incoming>> arriving_;  // by rank, in order of arrival
  std::vector<int> arriving_from_;              // the ranks with a message in arriving_
  std::vector<bool> is_lost_;                   // by rank
  std::list<outgoing_frame> abandoned_sends_;   // to lost ranks: MPI may still read from them
  std::list<incoming> abandoned_arrivals_;      // from lost ranks: MPI may still write to them
  std::optional<lost_ranks> losses_;            // only on the root
  // If every message rings, the transport stops probing once it has found as many messages as were announced. A probe that finds
  // nothing costs a time slice if ranks share cores, because MPI then yields the core.
  std::uint16_t rings_at_probe_ = 0;
  std::uint32_t found_ = 0;  // messages found, modulo 2^32
  // Shortens the next sleep. Set if an announced message has not arrived yet, or if a sent frame may still be in this process.
  std::atomic<bool> watchful_ = false;
  std::atomic<std::int64_t> watchful_pause_;  // nanoseconds; grows until a frame arrives
  int misses_ = 0;                            // probes since the last ring that found no message
  std::atomic<bool> slept_ = false;           // the next receive() probes in any case
  std::atomic<std::int64_t> off_node_pause_;  // nanoseconds; grows until a frame arrives
};

}  // namespace rankpool::detail
