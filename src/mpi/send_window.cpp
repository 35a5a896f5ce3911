// Defines send_window, with the sizes and limits of Open MPI's shared memory.
#include "mpi/send_window.hpp"

#include "mpi/requests.hpp"

#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::size_t max_kept = 128;  // Open MPI's shared memory has room for some hundreds

// Open MPI's shared memory has a ring buffer of 4096 bytes from each rank to each other rank, for short messages. A longer message
// uses a fragment of other memory and 32 bytes of the ring buffer. The window uses at most half of the ring buffer.
constexpr std::size_t ring_bytes = 2048;
constexpr std::size_t longest_in_ring = 1024;
constexpr std::size_t ring_overhead = 64;
constexpr std::size_t fragment_in_ring = 32;

constexpr std::size_t longest = send_window::eager_bytes + send_window::eager_bytes / 100;  // with the frame's trailer

}  // namespace

bool send_window::admit(int to, const frame& f) {
  if (!f.bulk.empty() || f.head.size() > longest) return false;
  unread_bytes& unread = unread_[static_cast<std::size_t>(to)];
  const std::size_t takes = f.head.size() > longest_in_ring ? fragment_in_ring : f.head.size() + ring_overhead;
  if (unread.before + unread.since + takes > ring_bytes) return false;
  unread.since += takes;
  return true;
}

outgoing_frame& send_window::keep(int to, frame f) {
  ++count_;
  return sent_[static_cast<std::size_t>(to)].emplace_back(std::move(f), std::vector<MPI_Request>(), to);
}

void send_window::on_answer(int rank) {
  free_complete(rank);
  unread_bytes& unread = unread_[static_cast<std::size_t>(rank)];
  unread = {.before = unread.since, .since = 0};
}

void send_window::free_complete(int rank) {
  auto& sent = sent_[static_cast<std::size_t>(rank)];
  // Each has one request, so MPI does not use the memory of one that has failed.
  while (!sent.empty() && test(sent.front().requests) != request_state::pending) {
    sent.pop_front();
    --count_;
  }
}

void send_window::free_complete() {
  for (std::size_t rank = 0; rank < sent_.size(); ++rank) free_complete(static_cast<int>(rank));
}

std::deque<outgoing_frame> send_window::take(int rank) {
  unread_[static_cast<std::size_t>(rank)] = {};
  auto& sent = sent_[static_cast<std::size_t>(rank)];
  count_ -= sent.size();
  return std::exchange(sent, {});
}

bool send_window::is_crowded() const { return count_ > max_kept; }

void send_window::wait() {
  for (auto& sent : sent_) {
    for (outgoing_frame& f : sent) wait_for(f.requests);
  }
}

}  // namespace rankpool::detail
