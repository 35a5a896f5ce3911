// The frames that have left for ranks of this node, until MPI reports them as complete. This file contains all tuning to Open
// MPI's shared memory.
//
// Open MPI copies a short message into memory that both ranks share, and the message has left its sender. Open MPI completes the
// send only after the receiver has read the message. Each test for that costs a time slice if ranks share cores. The window
// therefore keeps such frames, and tests them only after the receiver has answered. It admits a frame only if the shared memory has
// room for it even if the receiver has read nothing since its last answer. Any other message would wait inside Open MPI until its
// sender calls MPI again.
#pragma once

#include "mpi/outgoing_frame.hpp"

#include <cstddef>
#include <deque>
#include <vector>

namespace rankpool::detail {

class send_window {
 public:
  /// The eager limit of Open MPI's shared-memory transport, less its header, in bytes. A longer message is sent only while its
  /// receiver calls MPI.
  static constexpr std::size_t eager_bytes = 4000;

  explicit send_window(int ranks) : sent_(static_cast<std::size_t>(ranks)), unread_(static_cast<std::size_t>(ranks)) {}

  /// Returns whether a frame to a rank of this node leaves at once. It then counts as unread, and the caller passes it to keep().
  bool admit(int to, const frame& f);
  /// Keeps an admitted frame until it is complete. Lifetime: the reference is valid until the next call that is not const.
  outgoing_frame& keep(int to, frame f);

  /// Called when a frame has arrived from a rank. The rank has read the frames that were sent before its previous answer.
  void on_answer(int rank);
  /// Tests which frames are complete, and frees them.
  void free_complete();

  bool is_empty() const { return count_ == 0; }
  /// Returns whether the window keeps so many frames that Open MPI may run out of shared memory.
  bool is_crowded() const;

  /// Returns the frames to a rank that are not complete, and forgets them.
  std::deque<outgoing_frame> take(int rank);

  /// Blocks: until every frame is complete.
  void wait();

 private:
  void free_complete(int rank);

  // Bytes of shared memory in use. `since`: by frames sent after the receiver's last answer. `before`: by frames sent between that
  // answer and the previous one.
  struct unread_bytes {
    std::size_t before = 0;
    std::size_t since = 0;
  };

  std::vector<std::deque<outgoing_frame>> sent_;  // by rank
  std::vector<unread_bytes> unread_;              // by rank
  std::size_t count_ = 0;
};

}  // namespace rankpool::detail
