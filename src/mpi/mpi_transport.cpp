// Defines mpi_transport: sends and receives over MPI, and the decision when to probe for messages.
#include "mpi/mpi_transport.hpp"

#include "mpi/mpi_check.hpp"
#include "mpi/requests.hpp"
#include "mpi/usable_cores.hpp"

#include "support/process_memory.hpp"
#include "wire/block_description.hpp"

#include <sched.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr int tag_frame = 1;
constexpr int tag_bulk = 2;
constexpr std::size_t largest_message = std::size_t{1} << 30;

// A rank without messages polls for about as long as a wake-up takes, then sleeps. A rank that yielded instead would lose the core
// to a rank that computes, for a time slice of some milliseconds. A sleeping rank gets a core as soon as it is woken.
constexpr std::chrono::nanoseconds polling_time_on_own_core = 50us;
constexpr std::chrono::nanoseconds polling_time_on_shared_cores = 10us;
constexpr int polls_between_clocks = 16;

constexpr int probes_needed = 2;  // the first may only make MPI receive the message that the second finds
constexpr std::chrono::nanoseconds longest_sleep = 100ms;
constexpr auto time_to_end = 1s;  // of a rank whose runner process has been killed because the rank ends
constexpr std::chrono::nanoseconds first_watchful_pause = 20us;
constexpr std::chrono::nanoseconds longest_watchful_pause = 20ms;
constexpr std::chrono::nanoseconds first_off_node_pause = 20us;
constexpr std::chrono::nanoseconds longest_off_node_pause = 1ms;

}  // namespace

mpi_transport::mpi_transport(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes, doorbells& bells)
    : world_(world),
      root_(root),
      is_root_(world.rank() == root),
      bells_(bells),
      cores_(cores_of_node()),
      polling_time_(bells_.ranks_on_node() > cores_ ? polling_time_on_shared_cores : polling_time_on_own_core),
      broadcasts_(world, root, nodes),
      window_(world.size()),
      arriving_(static_cast<std::size_t>(world.size())),
      is_lost_(static_cast<std::size_t>(world.size())),
      watchful_pause_(first_watchful_pause.count()),
      off_node_pause_(first_off_node_pause.count()) {}

// Both sides have announced their end, so every pending send completes without further messages.
mpi_transport::~mpi_transport() {
  for (outgoing_frame& f : sends_) wait_for(f.requests);
  window_.wait();
}

// Workers are numbered by rank, without the root. The only peer of a worker is the root.
int mpi_transport::rank_of(int peer) const { return !is_root_ ? root_ : peer < root_ ? peer : peer + 1; }
int mpi_transport::peer_of(int rank) const { return !is_root_ ? 0 : rank < root_ ? rank : rank - 1; }

void mpi_transport::send(int peer, frame f) {
  const int to = rank_of(peer);
  if (is_lost_[static_cast<std::size_t>(to)]) return;
  append_descriptions(f);
  keep_remote_blocks(f);
  if (f.head.size() > largest_message) throw error("a message of more than 1 GiB of small tasks cannot be sent");
  const bool leaves_at_once = bells_.all_on_node() && window_.admit(to, f);
  outgoing_frame& kept =
      leaves_at_once ? window_.keep(to, std::move(f)) : sends_.emplace_back(std::move(f), std::vector<MPI_Request>(), to);
  const auto start = [&](const std::byte* data, std::size_t n, int tag) {
    MPI_Request& request = kept.requests.emplace_back(MPI_REQUEST_NULL);
    // To a rank that has ended, nothing needs to be sent.
    (void)mpi_check_peer(MPI_Isend(data, static_cast<int>(n), MPI_BYTE, to, tag, world_, &request), "MPI_Isend");
  };
  kept.requests.reserve(1 + kept.content.bulk.size());
  start(kept.content.head.data(), kept.content.head.size(), tag_frame);
  for (const auto& b : kept.content.bulk) {
    if (is_remote(*b)) continue;
    for (std::size_t at = 0; at < b->size(); at += largest_message) {
      start(b->data() + at, std::min(largest_message, b->size() - at), tag_bulk);
    }
  }
  const bool urgent = kept.content.urgent;
  if (!leaves_at_once && test(kept.requests) == request_state::complete) sends_.pop_back();
  bells_.ring(to, urgent);
}

bool mpi_transport::transferring() const {
  return !sends_.empty() || window_.is_crowded() || !arriving_from_.empty() || !broadcasts_.is_idle();
}

bool mpi_transport::unread() const { return bells_.all_on_node() && outstanding() > 0 && !nothing_new(); }

bool mpi_transport::sent_all() {
  window_.free_complete();
  free_read_blocks();
  return window_.is_empty() && !transferring() && unread_.empty();
}

// Keeps the remote blocks of a frame until the root has read them. What the root has belongs to the task, which it keeps itself.
void mpi_transport::keep_remote_blocks(const frame& f) {
  if (is_root_ || f.bulk.empty()) return;
  blocks remote;
  std::ranges::copy_if(f.bulk, std::back_inserter(remote), [](const auto& b) { return is_remote(*b); });
  if (remote.empty()) return;
  remote_sent_ += static_cast<std::uint32_t>(remote.size());
  unread_.emplace_back(std::move(remote), remote_sent_);
}

void mpi_transport::free_read_blocks() {
  while (!unread_.empty() && static_cast<std::int32_t>(bells_.blocks_read() - unread_.front().second) >= 0) unread_.pop_front();
}

void mpi_transport::test_reading(int rank, const word& of) {
  if (!bells_.is_on_node(rank) || !may_read_siblings()) return;
  std::uint64_t found = 0;
  if (!read_memory(of.process, of.address, std::as_writable_bytes(std::span(&found, 1))) || found != of.value) return;
  if (is_root_) {
    bells_.notes_of(rank).root_reads = 1;
  } else {
    bells_.own_notes().reads_root = 1;
  }
}

bool mpi_transport::reads_memory_of(int peer) const {
  const int worker = is_root_ ? rank_of(peer) : world_.rank();
  if (!bells_.is_on_node(worker)) return false;
  const doorbells::notes& noted = bells_.notes_of(worker);
  return noted.reads_root != 0 && noted.root_reads != 0;
}

void mpi_transport::finish_sends() {
  if (!unread_.empty()) free_read_blocks();
  if (window_.is_crowded()) window_.free_complete();
  for (auto m = sends_.begin(); m != sends_.end();) {
    const auto next = std::next(m);
    switch (test(m->requests)) {
      case request_state::pending: break;
      case request_state::complete:
        bells_.prompt(m->to);
        sends_.erase(m);
        break;
      case request_state::failed:  // MPI may use its other requests
        abandoned_sends_.splice(abandoned_sends_.end(), sends_, m);
        break;
    }
    m = next;
  }
}

// Starts to receive the next message. Returns false if MPI has none.
bool mpi_transport::accept_next() {
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  const int from = is_root_ ? MPI_ANY_SOURCE : root_;
  if (!mpi_check_peer(MPI_Improbe(from, tag_frame, world_, &found, &message, &status), "MPI_Improbe") || found == 0) return false;
  int count = 0;
  MPI_Get_count(&status, MPI_BYTE, &count);
  auto& queue = arriving_[static_cast<std::size_t>(status.MPI_SOURCE)];
  if (queue.empty()) arriving_from_.push_back(status.MPI_SOURCE);
  incoming& m = queue.emplace_back();
  m.head.resize(static_cast<std::size_t>(count));
  m.has_failed = !mpi_check_peer(MPI_Imrecv(m.head.data(), count, MPI_BYTE, &message, &m.head_request), "MPI_Imrecv");
  if (is_lost_[static_cast<std::size_t>(status.MPI_SOURCE)]) abandon(status.MPI_SOURCE);
  return true;
}

// Drives the first message of a rank. Returns true once it is complete. One that has failed never is, and abandon() removes it.
bool mpi_transport::advance(int rank, incoming& m) {
  const auto is_complete = [&m](auto& request) {
    const request_state now = m.has_failed ? request_state::failed : test(request);
    m.has_failed = now == request_state::failed;
    return now == request_state::complete;
  };
  if (!m.head_here) {
    if (!is_complete(m.head_request)) return false;
    m.head_here = true;
    for (const block_description& next : take_descriptions(m.head)) {
      if (next.pid != 0) {
        m.bulk.push_back(std::make_shared<remote_block>(next));
        ++m.remote_blocks;
        continue;
      }
      auto b = make_block(next);
      const std::span<std::byte> room = b->bytes();
      for (std::size_t from = 0; from < room.size(); from += largest_message) {
        MPI_Request& request = m.bulk_requests.emplace_back(MPI_REQUEST_NULL);
        const auto bytes = static_cast<int>(std::min<std::size_t>(largest_message, room.size() - from));
        if (!mpi_check_peer(MPI_Irecv(room.data() + from, bytes, MPI_BYTE, rank, tag_bulk, world_, &request), "MPI_Irecv")) {
          m.has_failed = true;
        }
      }
      m.bulk.push_back(std::move(b));
    }
  }
  return is_complete(m.bulk_requests) && (!is_root_ || fetch_remote_blocks(rank, m));
}

// Reads the remote blocks of a worker's message. Returns false if that has to be repeated, or if the worker has ended. A block
// stays remote if only the process that has it has ended.
bool mpi_transport::fetch_remote_blocks(int rank, incoming& m) {
  for (auto& b : m.bulk) {
    const auto* const remote = dynamic_cast<const remote_block*>(b.get());
    if (remote == nullptr) continue;
    std::shared_ptr<block> fetched;
    try {
      fetched = fetch_block(remote->description());
    } catch (const message_error&) {  // no memory: the task fails
    }
    if (fetched != nullptr) {
      b = std::move(fetched);
    } else if (losses_) {  // if the worker is about to end, its tasks run again
      const auto now = clock::now();
      if (!m.unreadable_since) m.unreadable_since = now;
      m.has_failed = losses_->has_ended(rank);
      if (m.has_failed || now - *m.unreadable_since < time_to_end) return false;
    }
  }
  if (m.remote_blocks > 0) bells_.add_blocks_read(rank, m.remote_blocks);
  return true;
}

bool mpi_transport::receive(int& peer, frame& f) {
  finish_sends();
  if (!broadcasts_.is_idle()) broadcasts_.advance();
  const bool slept = slept_.load(std::memory_order_relaxed) && slept_.exchange(false);
  if (slept) {  // probes in any case, so that a missed bell costs only time
    misses_ = 0;
    if (!window_.is_empty()) window_.free_complete();
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
    window_.on_answer(rank);
    watchful_pause_.store(first_watchful_pause.count(), std::memory_order_relaxed);
    off_node_pause_.store(first_off_node_pause.count(), std::memory_order_relaxed);
    return true;
  }
  return false;
}

void mpi_transport::begin_watch(const std::vector<pid_t>& processes, std::chrono::nanoseconds stopped_limit) {
  std::map<pid_t, int> watched;
  for (int rank = 0; rank < world_.size(); ++rank) {
    if (rank != root_ && bells_.is_on_node(rank)) watched.emplace(processes[static_cast<std::size_t>(rank)], rank);
  }
  losses_.emplace(
      watched, [this](int rank) { return termination::decoded(bells_.notes_of(rank).end); }, [this] { wake(); }, stopped_limit);
}

std::optional<lost_peer> mpi_transport::take_lost() {
  if (!losses_ || !losses_->any()) return std::nullopt;
  const auto loss = losses_->take();
  if (!loss) return std::nullopt;
  is_lost_[static_cast<std::size_t>(loss->rank)] = true;
  abandon(loss->rank);
  const task_note& running = bells_.notes_of(loss->rank).running;
  return lost_peer{peer_of(loss->rank), loss->end.signal, loss->end.exit_status, loss->cause, {{running.task, running.item}}};
}

void mpi_transport::tell_lost_descriptors() { bells_.warn(root_); }

std::optional<int> mpi_transport::take_peer_without_descriptors() {
  const auto rank = bells_.take_warning();
  return rank ? std::optional(peer_of(*rank)) : std::nullopt;
}

// Forgets the transfers from and to a rank, without freeing their memory.
void mpi_transport::abandon(int rank) {
  for (auto m = sends_.begin(); m != sends_.end();) {
    const auto next = std::next(m);
    if (m->to == rank) abandoned_sends_.splice(abandoned_sends_.end(), sends_, m);
    m = next;
  }
  for (outgoing_frame& f : window_.take(rank)) abandoned_sends_.push_back(std::move(f));
  for (incoming& m : arriving_[static_cast<std::size_t>(rank)]) abandoned_arrivals_.push_back(std::move(m));
  arriving_[static_cast<std::size_t>(rank)].clear();
  std::erase(arriving_from_, rank);
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

// Returns whether a probe is unnecessary: no rank has rung since the last probe, and either every announced message was found, or
// enough probes have found nothing. outstanding() alone is not sufficient, because a message may be found before its ring counts.
bool mpi_transport::nothing_new() const {
  const std::uint16_t rings = bells_.rings_of_others();
  return bells_.all_on_node() && rings == rings_at_probe_ && (outstanding() <= 0 || misses_ >= probes_needed);
}

bool mpi_transport::message_waiting() {
  int found = 0;
  const int from = is_root_ ? MPI_ANY_SOURCE : root_;
  return mpi_check_peer(MPI_Iprobe(from, tag_frame, world_, &found, MPI_STATUS_IGNORE), "MPI_Iprobe") && found != 0;
}

bool mpi_transport::look(std::uint32_t seen, const std::atomic<int>& waiting_threads, const expectation& expected) {
  if (transferring()) {  // transfers advance only in calls of MPI, and no bell reports their progress
    sched_yield();
    return true;
  }
  const auto something = [&] {
    return bells_.rings() != seen || waiting_threads.load(std::memory_order_relaxed) > 0 ||
           (!bells_.all_on_node() && message_waiting());
  };
  if (something() || (bells_.all_on_node() && !nothing_new())) return true;
  const bool has_free_core = expected.busy_peers && *expected.busy_peers < static_cast<std::size_t>(cores_);
  const auto polling_time = has_free_core ? polling_time_on_own_core : polling_time_;
  if (expected.quiet > polling_time) return false;
  for (const auto until = clock::now() + polling_time; clock::now() < until;) {
    for (int i = 0; i < polls_between_clocks; ++i) {
      if (something()) return true;
    }
  }
  return false;
}

bool mpi_transport::prepare_sleep(std::uint32_t seen) {
  bells_.announce_sleep();
  bool stay = bells_.rings() != seen;
  for (int i = 0; i < probes_needed && !stay && !bells_.all_on_node(); ++i) stay = message_waiting();
  if (!stay && !window_.is_empty()) window_.free_complete();
  watchful_ = outstanding() > 0 || !window_.is_empty();
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
  if (!bells_.all_on_node()) return;  // ranks of other nodes cannot ring
  bells_.doze(seen, until);
  slept_.store(true, std::memory_order_relaxed);
}

}  // namespace rankpool::detail
