// Defines node_broadcasts: divides the data into chunks, and starts and completes the broadcast of each chunk.
#include "mpi/node_broadcasts.hpp"

#include "mpi/mpi_check.hpp"

#include <algorithm>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{8} << 20;
constexpr std::size_t max_chunks = 2;  // at a time; with one, the network would be idle between two chunks

// Open MPI passes a chunk on in segments, and each test advances it by one segment. While a task runs, the worker calls advance()
// only every 50 us, so one test per call would be slow.
constexpr int max_tests = 16;

}  // namespace

node_broadcasts::node_broadcasts(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes) {
  const auto node_of = [&](int rank) { return nodes[static_cast<std::size_t>(rank)]; };
  const bool is_root = world.rank() == root;
  int first = 0;
  while (node_of(first) != node_of(world.rank())) ++first;
  const bool takes_part = node_of(world.rank()) == node_of(root) ? is_root : first == world.rank();
  const bool several = std::any_of(nodes.begin(), nodes.end(), [&](int node) { return node != node_of(root); });
  if (!several) return;
  mpi_check(MPI_Comm_split(world, takes_part ? 0 : MPI_UNDEFINED, is_root ? 0 : 1, &one_of_each_node_), "MPI_Comm_split");
  if (takes_part && !is_root) dropped_.reset(new std::byte[max_chunks * chunk_bytes]);
}

node_broadcasts::~node_broadcasts() {
  for (chunk& c : chunks_) MPI_Wait(&c.request, MPI_STATUS_IGNORE);
  if (one_of_each_node_ != MPI_COMM_NULL) MPI_Comm_free(&one_of_each_node_);
}

void node_broadcasts::start(std::span<std::byte> bytes, std::function<void()> done) {
  transfers_.push_back({.bytes = bytes, .size = bytes.size(), .done = std::move(done)});
  start_chunks();
}

void node_broadcasts::start_dropping(std::size_t size) {
  transfers_.push_back({.bytes = {}, .size = size, .done = [] {}});
  start_chunks();
}

void node_broadcasts::start_chunks() {
  for (transfer& t : transfers_) {
    while (t.started < t.size) {
      if (chunks_.size() == max_chunks) return;
      start_chunk(t);
    }
  }
}

void node_broadcasts::start_chunk(transfer& t) {
  const std::size_t size = std::min(chunk_bytes, t.size - t.started);
  std::byte* const data = t.bytes.empty() ? &dropped_[chunks_started_ % max_chunks * chunk_bytes] : &t.bytes[t.started];
  chunk& c = chunks_.emplace_back(MPI_REQUEST_NULL, size);
  mpi_check(MPI_Ibcast(data, static_cast<int>(size), MPI_BYTE, 0, one_of_each_node_, &c.request), "MPI_Ibcast");
  t.started += size;
  ++chunks_started_;
}

bool node_broadcasts::is_first_chunk_here() {
  int done = 0;
  for (int i = 0; i < max_tests && done == 0; ++i) {
    mpi_check(MPI_Test(&chunks_.front().request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  }
  return done != 0;
}

void node_broadcasts::advance() {
  while (!transfers_.empty()) {
    transfer& t = transfers_.front();
    while (t.finished < t.size) {
      if (!is_first_chunk_here()) return;
      t.finished += chunks_.front().size;
      chunks_.pop_front();
      start_chunks();
    }
    const auto done = std::move(t.done);
    transfers_.pop_front();
    done();
  }
}

}  // namespace rankpool::detail
