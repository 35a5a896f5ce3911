#include "mpi_transport.hpp"

#include "mpi_check.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr int tag_frame = 1;
constexpr int tag_bulk = 2;
constexpr std::size_t largest_message = std::size_t{1} << 30;

// While nothing comes: poll for about as long as it takes to be woken, then sleep. To yield instead would hand the core to
// a rank that computes for the rest of its turn, some milliseconds; a sleeper that is woken gets it back at once.
constexpr std::chrono::nanoseconds patience_with_a_core = 50us;
constexpr std::chrono::nanoseconds patience_on_shared_cores = 10us;
constexpr int polls_between_clocks = 16;
constexpr std::size_t most_posted = 128;  // Open MPI has room for some hundreds in shared memory

// Between two ranks of a node, Open MPI's vader has a ring of 4096 bytes for short messages; what is longer takes a fragment and
// 32 bytes of it. Half of it is for frames that nobody watches; a message that finds no room waits for calls of its sender.
constexpr std::size_t ring_bytes = 2048;
constexpr std::size_t longest_in_ring = 1024;
constexpr std::size_t ring_overhead = 64;
constexpr std::size_t fragment_in_ring = 32;

constexpr int probes_to_be_sure = 2;  // the first may only bring in what the second finds
constexpr std::chrono::nanoseconds longest_sleep = 100ms;
constexpr std::chrono::nanoseconds first_watchful_pause = 20us;
constexpr std::chrono::nanoseconds longest_watchful_pause = 20ms;
constexpr std::chrono::nanoseconds first_off_node_pause = 20us;
constexpr std::chrono::nanoseconds longest_off_node_pause = 1ms;

// Cores of this node.
int cores() { return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)); }

}  // namespace

mpi_transport::mpi_transport(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes)
    : world_(world),
      root_(root),
      leading_(world.rank() == root),
      bells_(world),
      patience_(bells_.ranks_on_node() > cores() ? patience_on_shared_cores : patience_with_a_core),
      posted_(static_cast<std::size_t>(world.size())),
      unread_(static_cast<std::size_t>(world.size())),
      arriving_(static_cast<std::size_t>(world.size())),
      watchful_pause_(first_watchful_pause.count()),
      off_node_pause_(first_off_node_pause.count()) {
  const auto node_of = [&](int rank) { return nodes[static_cast<std::size_t>(rank)]; };
  int first = 0;
  while (node_of(first) != node_of(world.rank())) ++first;
  const bool takes_part = node_of(world.rank()) == node_of(root) ? leading_ : first == world.rank();
  const bool several = std::any_of(nodes.begin(), nodes.end(), [&](int node) { return node != node_of(root); });
  if (several) {
    mpi_check(MPI_Comm_split(world, takes_part ? 0 : MPI_UNDEFINED, leading_ ? 0 : 1, &one_of_each_node_), "MPI_Comm_split");
  }
}

// Whatever has not gone or come by now never will be wanted: both sides have said that they are done.
mpi_transport::~mpi_transport() {
  const auto finish = [](auto& sends) {
    for (outgoing& m : sends) {
      for (MPI_Request& r : m.requests) {
        if (r != MPI_REQUEST_NULL) MPI_Wait(&r, MPI_STATUS_IGNORE);
      }
    }
  };
  finish(sends_);
  for (auto& posted : posted_) finish(posted);
  for (running_broadcast& b : broadcasts_) {
    MPI_Waitall(static_cast<int>(b.requests.size()), b.requests.data(), MPI_STATUSES_IGNORE);
  }
  if (one_of_each_node_ != MPI_COMM_NULL) MPI_Comm_free(&one_of_each_node_);
}

// Workers are numbered by rank, without the root; a worker's only peer is the root.
int mpi_transport::rank_of(int peer) const { return !leading_ ? root_ : peer < root_ ? peer : peer + 1; }
int mpi_transport::peer_of(int rank) const { return !leading_ ? 0 : rank < root_ ? rank : rank - 1; }

double mpi_transport::workers_per_core() const { return static_cast<double>(bells_.ranks_on_node() - 1) / cores(); }

void mpi_transport::send(int peer, frame f) {
  const int to = rank_of(peer);
  append_descriptions(f);
  if (f.head.size() > largest_message) throw error("a message of more than 1 GiB of small tasks cannot be sent");
  const bool posts = fits_unread(to, f);
  auto& posted = posted_[static_cast<std::size_t>(to)];
  outgoing& kept = posts ? posted.emplace_back(std::move(f), std::vector<MPI_Request>(), to)
                         : sends_.emplace_back(std::move(f), std::vector<MPI_Request>(), to);
  const auto start = [&](const std::byte* data, std::size_t n, int tag) {
    MPI_Request& request = kept.requests.emplace_back(MPI_REQUEST_NULL);
    mpi_check(MPI_Isend(data, static_cast<int>(n), MPI_BYTE, to, tag, world_, &request), "MPI_Isend");
  };
  kept.requests.reserve(1 + kept.content.bulk.size());
  start(kept.content.head.data(), kept.content.head.size(), tag_frame);
  for (const auto& b : kept.content.bulk) {
    for (std::size_t at = 0; at < b->size(); at += largest_message) {
      start(b->data() + at, std::min(largest_message, b->size() - at), tag_bulk);
    }
  }
  const bool urgent = kept.content.urgent;
  if (posts) {
    ++posted_count_;
  } else if (complete(kept.requests)) {
    sends_.pop_back();
  }
  bells_.ring(to, urgent);
}

bool mpi_transport::complete(std::vector<MPI_Request>& requests) {
  for (MPI_Request& r : requests) {
    if (r == MPI_REQUEST_NULL) continue;
    int done = 0;
    mpi_check(MPI_Test(&r, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done == 0) return false;
  }
  return true;
}

bool mpi_transport::transferring() const {
  return !sends_.empty() || posted_count_ > most_posted || !arriving_from_.empty() || !broadcasts_.empty();
}

// Whether a frame surely leaves at once, into memory that both sides share, even if the receiver reads nothing meanwhile.
// Then it is counted there.
bool mpi_transport::fits_unread(int to, const frame& f) {
  if (!bells_.all_on_node() || !f.bulk.empty() || f.head.size() > prompt_bytes + prompt_bytes / 100) return false;
  unread_bytes& unread = unread_[static_cast<std::size_t>(to)];
  const std::size_t takes = f.head.size() > longest_in_ring ? fragment_in_ring : f.head.size() + ring_overhead;
  if (unread.before + unread.since + takes > ring_bytes) return false;
  unread.since += takes;
  return true;
}

bool mpi_transport::unread() const { return bells_.all_on_node() && owed() > 0 && !nothing_new(); }

void mpi_transport::forget_posted(int rank) {
  auto& posted = posted_[static_cast<std::size_t>(rank)];
  while (!posted.empty() && complete(posted.front().requests)) {
    posted.pop_front();
    --posted_count_;
  }
}

void mpi_transport::forget_posted() {
  for (int rank = 0; rank < world_.size(); ++rank) forget_posted(rank);
}

bool mpi_transport::sent_all() {
  forget_posted();
  return posted_count_ == 0 && !transferring();
}

void mpi_transport::finish_sends() {
  if (posted_count_ > most_posted) forget_posted();
  for (auto m = sends_.begin(); m != sends_.end();) {
    if (complete(m->requests)) {
      bells_.prompt(m->to);
      m = sends_.erase(m);
    } else {
      ++m;
    }
  }
}

void mpi_transport::broadcast(std::span<std::byte> bytes, std::function<void()> done) {
  running_broadcast& b = broadcasts_.emplace_back(std::vector<MPI_Request>(), std::move(done));
  for (std::size_t from = 0; from < bytes.size(); from += largest_message) {
    MPI_Request& request = b.requests.emplace_back(MPI_REQUEST_NULL);
    mpi_check(MPI_Ibcast(bytes.data() + from, static_cast<int>(std::min(largest_message, bytes.size() - from)), MPI_BYTE, 0,
                         one_of_each_node_, &request),
              "MPI_Ibcast");
  }
}

void mpi_transport::finish_broadcasts() {
  while (!broadcasts_.empty() && complete(broadcasts_.front().requests)) {
    const auto done = std::move(broadcasts_.front().done);
    broadcasts_.pop_front();
    done();
  }
}

// Takes the next message off MPI's hands; false if there is none.
bool mpi_transport::accept_next() {
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  mpi_check(MPI_Improbe(leading_ ? MPI_ANY_SOURCE : root_, tag_frame, world_, &found, &message, &status), "MPI_Improbe");
  if (found == 0) return false;
  int count = 0;
  MPI_Get_count(&status, MPI_BYTE, &count);
  auto& queue = arriving_[static_cast<std::size_t>(status.MPI_SOURCE)];
  if (queue.empty()) arriving_from_.push_back(status.MPI_SOURCE);
  incoming& m = queue.emplace_back();
  m.head.resize(static_cast<std::size_t>(count));
  mpi_check(MPI_Imrecv(m.head.data(), count, MPI_BYTE, &message, &m.head_request), "MPI_Imrecv");
  return true;
}

// Moves the first message of a rank on; true once all of it is here.
bool mpi_transport::advance(int rank, incoming& m) {
  if (!m.head_here) {
    int done = 0;
    mpi_check(MPI_Test(&m.head_request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done == 0) return false;
    m.head_here = true;
    for (const block_description& next : take_descriptions(m.head)) {
      auto b = make_block(next);
      const std::span<std::byte> room = b->bytes();
      for (std::size_t from = 0; from < room.size(); from += largest_message) {
        MPI_Request& request = m.bulk_requests.emplace_back(MPI_REQUEST_NULL);
        mpi_check(MPI_Irecv(room.data() + from, static_cast<int>(std::min<std::size_t>(largest_message, room.size() - from)), MPI_BYTE,
                            rank, tag_bulk, world_, &request),
                  "MPI_Irecv");
      }
      m.bulk.push_back(std::move(b));
    }
  }
  return complete(m.bulk_requests);
}

bool mpi_transport::receive(int& peer, frame& f) {
  finish_sends();
  if (!broadcasts_.empty()) finish_broadcasts();
  const bool slept = slept_.load(std::memory_order_relaxed) && slept_.exchange(false);
  if (slept) {  // nothing depends on bells alone
    misses_ = 0;
    if (posted_count_ > 0) forget_posted();
  }
  if (slept || !nothing_new()) probe();
  for (auto from = arriving_from_.begin(); from != arriving_from_.end(); ++from) {
    const int rank = *from;
    auto& queue = arriving_[static_cast<std::size_t>(rank)];
    incoming& m = queue.front();
    if (!advance(rank, m)) continue;
    f.head = std::move(m.head);
    f.bulk = std::move(m.bulk);
    queue.pop_front();
    if (queue.empty()) arriving_from_.erase(from);
    peer = peer_of(rank);
    forget_posted(rank);
    unread_bytes& unread = unread_[static_cast<std::size_t>(rank)];
    unread = {.before = unread.since, .since = 0};
    watchful_pause_.store(first_watchful_pause.count(), std::memory_order_relaxed);
    off_node_pause_.store(first_off_node_pause.count(), std::memory_order_relaxed);
    return true;
  }
  return false;
}

void mpi_transport::probe() {
  const std::uint16_t rings = bells_.rings_of_others();
  if (accept_next()) {
    ++found_;
    misses_ = 0;
  } else {
    misses_ = rings == rings_at_probe_ ? misses_ + 1 : 1;
  }
  rings_at_probe_ = rings;
}

// A message may be found before its ring is heard; then the ring alone is a reason to look.
bool mpi_transport::nothing_new() const {
  const std::uint16_t rings = bells_.rings_of_others();
  return bells_.all_on_node() && rings == rings_at_probe_ && (owed() <= 0 || misses_ >= probes_to_be_sure);
}

bool mpi_transport::message_waiting() {
  int found = 0;
  mpi_check(MPI_Iprobe(leading_ ? MPI_ANY_SOURCE : root_, tag_frame, world_, &found, MPI_STATUS_IGNORE), "MPI_Iprobe");
  return found != 0;
}

bool mpi_transport::look(std::uint32_t seen, const std::atomic<int>& give_way, std::chrono::nanoseconds quiet) {
  if (transferring()) {  // it needs our calls to get on, and no bell tells when
    sched_yield();
    return true;
  }
  const auto something = [&] {
    return bells_.rings() != seen || give_way.load(std::memory_order_relaxed) > 0 || (!bells_.all_on_node() && message_waiting());
  };
  if (something() || (bells_.all_on_node() && !nothing_new())) return true;
  if (quiet > patience_) return false;
  for (const auto until = clock::now() + patience_; clock::now() < until;) {
    for (int i = 0; i < polls_between_clocks; ++i) {
      if (something()) return true;
    }
  }
  return false;
}

bool mpi_transport::prepare_sleep(std::uint32_t seen) {
  bells_.announce_sleep();
  bool stay = bells_.rings() != seen;
  for (int i = 0; i < probes_to_be_sure && !stay && !bells_.all_on_node(); ++i) stay = message_waiting();
  if (!stay && posted_count_ > 0) forget_posted();
  watchful_ = owed() > 0 || posted_count_ > 0;
  if (stay) bells_.cancel_sleep();
  return !stay;
}

void mpi_transport::sleep(std::uint32_t seen, steady_time deadline) {
  std::chrono::nanoseconds pause = longest_sleep;
  if (!bells_.all_on_node()) {
    pause = std::chrono::nanoseconds(off_node_pause_.load());
    off_node_pause_ = std::min((pause * 3 / 2).count(), longest_off_node_pause.count());
  }
  if (watchful_) {
    pause = std::min(pause, std::chrono::nanoseconds(watchful_pause_.load()));
    watchful_pause_ = std::min((pause * 3 / 2).count(), longest_watchful_pause.count());
  }
  bells_.sleep(seen, std::min<std::chrono::nanoseconds>(pause, deadline - clock::now()));
  slept_.store(true, std::memory_order_relaxed);
}

void mpi_transport::doze(std::uint32_t seen, steady_time until) {
  if (!bells_.all_on_node()) return;  // nobody could wake it
  bells_.doze(seen, until);
  slept_.store(true, std::memory_order_relaxed);
}

}  // namespace rankpool::detail
