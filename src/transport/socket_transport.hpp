// Frames between rank 0 and its workers over stream sockets, one for each worker. A peer may be lost at any time.
//
// MPI over a network does not survive the loss of a rank: its calls may block for ever. These connections are for runs over several
// nodes that survive it. The end of a connection is noticed at once. Workers send heartbeats, also while a task runs, so that
// rank 0 notices a worker that is stopped or whose node is cut off. Rank 0 closes the connection of a lost worker. It sends no
// heartbeats itself, because callbacks may keep it busy for any time; a worker notices that rank 0's node is cut off when the
// kernel of that node acknowledges no heartbeats.
#pragma once

#include "transport/frame_stream.hpp"
#include "transport/transport.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rankpool::detail {

class socket_transport final : public transport {
 public:
  struct options {
    /// How long a peer may be silent until it is lost. The time in which this process itself does nothing does not count. None: for
    /// ever.
    std::optional<std::chrono::nanoseconds> heartbeat_timeout = std::nullopt;
    /// How long the kernel of a peer may acknowledge nothing until the peer is lost: its node is cut off, or has failed. Requires
    /// heartbeats. None: until the kernel of this node breaks the connection.
    std::optional<std::chrono::nanoseconds> acknowledgement_timeout = std::nullopt;
    /// How often this process sends heartbeats, if it sends nothing else. None: never.
    std::optional<std::chrono::nanoseconds> heartbeat_interval = std::nullopt;
    /// Called on the thread that receives, with a peer that is lost and why. Returns what take_lost() returns.
    std::function<lost_peer(int peer, const std::string& why)> on_lost = {};
    /// What running_task() returns. May be null.
    task_note* note = nullptr;
  };

  /// `sockets`: a connected stream socket for each peer, which the object owns from now on. Throws: std::system_error.
  socket_transport(const std::vector<int>& sockets, options settings);
  socket_transport(const socket_transport&) = delete;
  socket_transport& operator=(const socket_transport&) = delete;
  ~socket_transport() override;

  std::size_t preferred_frame_bytes() const override { return frame_bytes; }
  void send(int peer, frame f) override;
  bool receive(int& peer, frame& f) override;
  std::optional<lost_peer> take_lost() override;
  task_note* running_task() override { return settings_.note; }
  void end_watch() override { is_watching_ = false; }
  bool transferring() const override { return transfers_ > 0; }
  bool unread() const override { return !arrived_.empty(); }
  bool sent_all() override;
  bool has_broadcasts() const override { return false; }
  void broadcast(std::span<std::byte> bytes, std::function<void()> done) override;
  bool peers_ring() const override { return true; }
  std::uint32_t rings() const override { return rings_.load(); }
  bool look(std::uint32_t seen, const std::atomic<int>& waiting_threads, const expectation& expected) override;
  bool prepare_sleep(std::uint32_t seen) override { return rings() == seen; }
  void sleep(std::uint32_t seen, steady_time deadline) override;
  void wake() override { ring(bell_); }
  /// A message does not end a doze: whether it is urgent is known only once it is read.
  void doze(std::uint32_t seen, steady_time until) override;
  void nudge() override { ring(nudge_bell_); }

 private:
  static constexpr std::size_t frame_bytes = 16 << 10;  // a system call for each frame costs more than copying as many bytes

  struct peer_state {
    explicit peer_state(int socket) : stream(socket) {}
    frame_stream stream;
    bool awaits_room = false;      // the kernel accepts nothing more, and reports when it does
    bool is_transferring = false;  // a frame is partly sent or received
    bool is_lost = false;
    std::int64_t missed_checks = 0;
  };

  void write(std::size_t peer);
  void read(std::size_t peer);
  void note_progress(std::size_t peer);
  void drive();
  void note_loss(std::size_t peer, const std::string& why);
  void check_heartbeats(std::chrono::nanoseconds limit);
  void check_acknowledgements(std::chrono::nanoseconds limit);
  void ring(int which);

  const options settings_;
  std::deque<peer_state> peers_;
  int ready_ = -1;       // an epoll descriptor of the sockets and the bells
  int bell_ = -1;        // an eventfd
  int nudge_bell_ = -1;  // another one, which does not end a doze
  std::vector<std::byte> scratch_;
  std::deque<std::pair<int, frame>> arrived_;
  std::deque<lost_peer> losses_;
  std::size_t transfers_ = 0;  // peers with is_transferring
  steady_time next_heartbeat_;
  steady_time next_check_;
  bool is_watching_ = true;
  std::atomic<std::uint32_t> rings_ = 0;
};

}  // namespace rankpool::detail
