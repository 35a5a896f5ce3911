#include "transport/socket_transport.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t scratch_bytes = 256 << 10;
constexpr std::chrono::nanoseconds check_interval = 1s;  // for silent peers
constexpr std::chrono::nanoseconds longest_sleep = 100ms;
constexpr std::chrono::nanoseconds polling_time = 50us;  // about as long as a wake-up takes
constexpr int most_events = 64;
constexpr std::uint64_t bell = ~std::uint64_t{0};  // the number of the bells among those of the peers

// Returns whether the descriptor becomes readable within this time.
bool is_ready(int descriptor, std::chrono::nanoseconds at_most) {
  pollfd events{descriptor, POLLIN, 0};
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  const timespec wait{whole.count(), (at_most - whole).count()};
  return ::ppoll(&events, 1, &wait, nullptr) > 0;
}

std::string seconds(std::chrono::nanoseconds time) {
  std::ostringstream text;
  text << std::chrono::duration<double>(time).count() << " s";
  return text.str();
}

[[noreturn]] void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace

socket_transport::socket_transport(const std::vector<int>& sockets, options settings)
    : settings_(std::move(settings)),
      ready_(::epoll_create1(EPOLL_CLOEXEC)),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      nudge_bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      scratch_(scratch_bytes),
      next_heartbeat_(clock::now()),
      next_check_(clock::now() + check_interval) {
  for (const int socket : sockets) peers_.emplace_back(socket);
  if (ready_ < 0) fail("epoll_create1");
  epoll_event event{.events = EPOLLIN, .data = {.u64 = bell}};
  for (const int b : {bell_, nudge_bell_}) {
    if (b < 0) fail("eventfd");
    if (::epoll_ctl(ready_, EPOLL_CTL_ADD, b, &event) != 0) fail("epoll_ctl");
  }
  for (std::size_t p = 0; p < peers_.size(); ++p) {
    event = {.events = EPOLLIN, .data = {.u64 = p}};
    if (::epoll_ctl(ready_, EPOLL_CTL_ADD, peers_[p].stream.socket(), &event) != 0) fail("epoll_ctl");
  }
}

socket_transport::~socket_transport() {
  for (peer_state& p : peers_) p.stream.say_goodbye();
  peers_.clear();
  for (const int descriptor : {ready_, bell_, nudge_bell_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

// ---- sending

void socket_transport::send(int peer, frame f) {
  peer_state& to = peers_[static_cast<std::size_t>(peer)];
  if (to.is_lost) return;
  to.stream.add(std::move(f));
  if (!to.awaits_room) write(static_cast<std::size_t>(peer));
}

void socket_transport::write(std::size_t peer) {
  peers_[peer].stream.write();
  note_progress(peer);
}

// After something was sent or received: asks the kernel to report when the connection can take more, if something is unsent.
void socket_transport::note_progress(std::size_t peer) {
  peer_state& p = peers_[peer];
  const bool has_unsent = p.stream.has_unsent();
  if (p.awaits_room != has_unsent) {
    epoll_event event{.events = EPOLLIN | (has_unsent ? static_cast<std::uint32_t>(EPOLLOUT) : 0U), .data = {.u64 = peer}};
    if (::epoll_ctl(ready_, EPOLL_CTL_MOD, p.stream.socket(), &event) != 0) fail("epoll_ctl");
    p.awaits_room = has_unsent;
  }
  const bool is_transferring = has_unsent || p.stream.is_in_frame();
  if (std::exchange(p.is_transferring, is_transferring) == is_transferring) return;
  is_transferring ? ++transfers_ : --transfers_;
}

bool socket_transport::sent_all() {
  for (std::size_t p = 0; p < peers_.size(); ++p) {
    if (peers_[p].stream.has_unsent()) write(p);
  }
  return std::ranges::none_of(peers_, [](const peer_state& p) { return p.stream.has_unsent(); });
}

void socket_transport::broadcast(std::span<std::byte>, std::function<void()>) {
  throw std::logic_error("a broadcast cannot survive the loss of a rank");
}

// ---- receiving

void socket_transport::read(std::size_t peer) {
  peers_[peer].stream.read(scratch_, [&](frame&& f) { arrived_.emplace_back(static_cast<int>(peer), std::move(f)); });
  note_progress(peer);
}

// Sends and receives what the kernel is ready for.
void socket_transport::drive() {
  std::array<epoll_event, most_events> events;
  const int number = ::epoll_wait(ready_, events.data(), most_events, 0);
  for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(std::max(number, 0)))) {
    if (event.data.u64 == bell) {
      std::uint64_t rung = 0;
      for (const int b : {bell_, nudge_bell_}) (void)!::read(b, &rung, sizeof rung);
      continue;
    }
    const auto peer = static_cast<std::size_t>(event.data.u64);
    const peer_state& p = peers_[peer];
    if (p.is_lost) continue;
    if ((event.events & EPOLLOUT) != 0) write(peer);
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(peer);
    if (p.stream.failure()) note_loss(peer, *p.stream.failure());
  }
  const auto now = clock::now();
  if (settings_.heartbeat_interval && now >= next_heartbeat_) {
    next_heartbeat_ = now + *settings_.heartbeat_interval;
    for (std::size_t p = 0; p < peers_.size(); ++p) {
      if (peers_[p].is_lost || peers_[p].awaits_room) continue;
      peers_[p].stream.add_heartbeat();
      write(p);
    }
  }
  if (now >= next_check_) {
    next_check_ = now + check_interval;
    if (settings_.heartbeat_timeout) check_heartbeats(*settings_.heartbeat_timeout);
    if (settings_.acknowledgement_timeout) check_acknowledgements(*settings_.acknowledgement_timeout);
  }
}

bool socket_transport::receive(int& peer, frame& f) {
  if (arrived_.empty()) drive();
  if (arrived_.empty()) return false;
  peer = arrived_.front().first;
  f = std::move(arrived_.front().second);
  arrived_.pop_front();
  return true;
}

// ---- losses

// A pause of this process counts as one check, so that no worker is lost because rank 0 was stopped.
void socket_transport::check_heartbeats(std::chrono::nanoseconds limit) {
  const auto most_missed = std::max<std::int64_t>(2, limit / check_interval);
  for (std::size_t p = 0; p < peers_.size(); ++p) {
    peer_state& peer = peers_[p];
    if (peer.is_lost) continue;
    if (peer.stream.take_received()) peer.missed_checks = 0;
    if (++peer.missed_checks > most_missed) note_loss(p, "nothing was received from it for " + seconds(limit));
  }
}

void socket_transport::check_acknowledgements(std::chrono::nanoseconds limit) {
  for (std::size_t p = 0; p < peers_.size(); ++p) {
    if (peers_[p].is_lost || peers_[p].stream.time_without_acknowledgement() <= limit) continue;
    note_loss(p, "its node has acknowledged nothing for " + seconds(limit));
  }
}

void socket_transport::note_loss(std::size_t peer, const std::string& why) {
  peer_state& p = peers_[peer];
  p.is_lost = true;
  if (std::exchange(p.is_transferring, false)) --transfers_;
  const bool has_left = p.stream.has_left();
  (void)::epoll_ctl(ready_, EPOLL_CTL_DEL, p.stream.socket(), nullptr);
  p.stream.close();
  if (is_watching_ && !has_left && settings_.on_lost) losses_.push_back(settings_.on_lost(static_cast<int>(peer), why));
}

std::optional<lost_peer> socket_transport::take_lost() {
  if (losses_.empty()) return std::nullopt;
  const lost_peer first = std::move(losses_.front());
  losses_.pop_front();
  std::erase_if(arrived_, [&](const auto& arrived) { return arrived.first == first.peer; });
  return first;
}

// ---- waiting

bool socket_transport::look(std::uint32_t seen, const std::atomic<int>& waiting_threads, const expectation& expected) {
  const auto something = [&] {
    return !arrived_.empty() || !losses_.empty() || rings() != seen || waiting_threads.load(std::memory_order_relaxed) > 0 ||
           is_ready(ready_, 0ns);
  };
  if (something()) return true;
  if (expected.quiet > polling_time) return false;
  for (const auto until = clock::now() + polling_time; clock::now() < until;) {
    if (something()) return true;
  }
  return false;
}

void socket_transport::sleep(std::uint32_t seen, steady_time deadline) {
  if (rings() != seen) return;
  (void)is_ready(ready_, std::clamp<std::chrono::nanoseconds>(deadline - clock::now(), 0ns, longest_sleep));
}

void socket_transport::doze(std::uint32_t, steady_time until) {
  (void)is_ready(bell_, std::clamp<std::chrono::nanoseconds>(until - clock::now(), 0ns, longest_sleep));
}

void socket_transport::ring(int which) {
  rings_.fetch_add(1);
  const std::uint64_t one = 1;
  (void)!::write(which, &one, sizeof one);
}

}  // namespace rankpool::detail
