// Broadcasts from the root to the first rank of every other node.
//
// Data is sent in chunks, a few at a time. A rank without memory for all of the data can therefore take part. It must take
// part, because the broadcast is collective and the rank passes the chunks on. Broadcasts are sent one after the other. Every rank
// must start them in the same order.
#pragma once

#include <mpi.h>
#include <boost/mpi/communicator.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace rankpool::detail {

class node_broadcasts {
 public:
  /// Collective over the communicator. `nodes`: the node of each rank.
  node_broadcasts(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes);
  node_broadcasts(const node_broadcasts&) = delete;
  node_broadcasts& operator=(const node_broadcasts&) = delete;
  /// Collective over the ranks that take part.
  ~node_broadcasts();

  /// Starts to send the bytes on the root, and to receive them on other ranks. advance() calls `done` once.
  /// Lifetime: the bytes must be valid until then.
  void start(std::span<std::byte> bytes, std::function<void()> done);
  /// Starts to receive `size` bytes, and discards them.
  void start_dropping(std::size_t size);

  bool is_idle() const { return transfers_.empty(); }
  /// Drives the broadcasts.
  void advance();

 private:
  struct transfer {
    std::span<std::byte> bytes;  // empty: discarded
    std::size_t size = 0;
    std::function<void()> done;
    std::size_t started = 0;  // bytes
    std::size_t finished = 0;
  };
  struct chunk {
    MPI_Request request = MPI_REQUEST_NULL;
    std::size_t size = 0;
  };

  void start_chunks();
  void start_chunk(transfer& t);
  bool is_first_chunk_here();

  MPI_Comm one_of_each_node_ = MPI_COMM_NULL;  // the root first; null on ranks that take no part, and with one node
  std::deque<transfer> transfers_;             // in the order of start()
  std::deque<chunk> chunks_;                   // in progress, in the order of their start, which is that of transfers_
  std::size_t chunks_started_ = 0;
  std::unique_ptr<std::byte[]> dropped_;  // memory for discarded chunks; allocated at the start, while memory is available
};

}  // namespace rankpool::detail
