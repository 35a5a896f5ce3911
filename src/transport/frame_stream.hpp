// Frames over one connected stream socket.
//
// On the wire, a frame is the length of its head in bytes (8 bytes), its head with the descriptions of its blocks, and the data of
// the blocks. The data is received into the memory of the new blocks. Two values of the length have a special meaning: 0 is a
// heartbeat, and the highest one says that nothing follows, because the sender ends its work. The end of a connection without it is
// a loss.
#pragma once

#include "transport/closed_in_children.hpp"
#include "wire/block_description.hpp"
#include "wire/frame.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace rankpool::detail {

/// Thread safety: one thread at a time.
class frame_stream {
 public:
  /// Owns the socket from now on, and makes it non-blocking. Throws: std::system_error.
  explicit frame_stream(int socket);
  frame_stream(const frame_stream&) = delete;
  frame_stream& operator=(const frame_stream&) = delete;
  ~frame_stream();

  int socket() const { return socket_; }

  /// Adds a frame to those that write() sends.
  void add(frame f);
  /// Adds a heartbeat, unless something is unsent.
  void add_heartbeat();
  /// Tells the other end that nothing follows, if nothing is unsent.
  void say_goodbye();
  /// Sends what the kernel accepts, some megabytes at most. Never blocks. After a failure, nothing more is sent; what the other end
  /// has sent before can still be received.
  void write();
  bool has_unsent() const { return !unsent_.empty(); }

  /// Receives what has arrived, some megabytes at most, and passes the frames that are complete to `take`. Never blocks. A failure
  /// breaks the connection, and so does its end. `scratch`: memory that calls for several streams may share.
  /// Throws: message_error if the data is damaged, or a block cannot be allocated.
  void read(std::span<std::byte> scratch, const std::function<void(frame&&)>& take);
  /// Returns whether a part of a frame has arrived.
  bool is_in_frame() const { return have_ > 0 || step_ != step::length; }
  /// Returns whether anything has arrived since the last call.
  bool take_received() { return std::exchange(has_received_, false); }
  /// Returns how long the kernel of the other end has acknowledged nothing that was sent to it; 0 if it owes no acknowledgement,
  /// also because its process reads nothing, or if the kernel of this end does not know. Requires that something is sent now and
  /// then.
  std::chrono::milliseconds time_without_acknowledgement() const;

  /// Returns why nothing can be sent or received any more, such as "Connection reset by peer"; empty while the connection is
  /// usable.
  const std::optional<std::string>& failure() const { return failure_; }
  /// Returns whether the other end has said that nothing follows.
  bool has_left() const { return has_left_; }
  /// Closes the connection. Its other end can receive nothing more either.
  void close();

 private:
  enum class step { length, head, block_data };

  struct outgoing {
    std::uint64_t length = 0;
    frame content;
  };

  void receive(std::span<std::byte> scratch, const std::function<void(frame&&)>& take);
  std::span<std::byte> wanted();
  void take_part(std::size_t size, const std::function<void(frame&&)>& take);
  void begin_blocks();
  void fail(std::string why);

  int socket_;
  std::optional<closed_in_children> closed_in_children_;
  std::deque<outgoing> unsent_;
  std::size_t sent_ = 0;  // bytes of the first of unsent_
  bool can_send_ = true;

  // The frame that is arriving.
  step step_ = step::length;
  std::size_t have_ = 0;  // bytes of the current part: of the length, the head, or the first block that is not complete
  std::uint64_t length_ = 0;
  frame arriving_;
  std::size_t blocks_here_ = 0;
  bool has_received_ = false;
  bool has_left_ = false;
  std::optional<std::string> failure_;
};

}  // namespace rankpool::detail
