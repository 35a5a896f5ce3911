#include "transport/frame_stream.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::size_t most_parts = 64;                    // of one call of the kernel
constexpr std::size_t most_bytes = std::size_t{4} << 20;  // likewise
constexpr std::uint64_t heartbeat = 0;
constexpr std::uint64_t goodbye = ~std::uint64_t{0};
constexpr std::uint64_t longest_head = std::uint64_t{1} << 31;  // a longer one means a damaged message

std::string text_of(int number) { return std::generic_category().message(number); }

bool would_block(int number) { return number == EAGAIN || number == EWOULDBLOCK || number == EINTR; }

}  // namespace

frame_stream::frame_stream(int socket) : socket_(socket), closed_in_children_(std::in_place, socket) {
  const int flags = ::fcntl(socket_, F_GETFL);
  if (flags < 0 || ::fcntl(socket_, F_SETFL, flags | O_NONBLOCK) < 0) {
    throw std::system_error(errno, std::generic_category(), "fcntl");
  }
}

frame_stream::~frame_stream() { close(); }

void frame_stream::fail(std::string why) {
  if (!failure_) failure_ = std::move(why);
  unsent_.clear();
}

void frame_stream::close() {
  if (socket_ < 0) return;
  closed_in_children_.reset();
  ::shutdown(socket_, SHUT_RDWR);
  ::close(socket_);
  socket_ = -1;
  fail("this process has closed the connection");
}

void frame_stream::add(frame f) {
  if (failure_ || !can_send_) return;
  append_descriptions(f);
  const std::uint64_t length = f.head.size();
  unsent_.push_back({length, std::move(f)});
}

void frame_stream::add_heartbeat() {
  if (!failure_ && can_send_ && unsent_.empty()) unsent_.push_back({heartbeat, {}});
}

void frame_stream::say_goodbye() {
  if (!failure_ && unsent_.empty()) (void)!::send(socket_, &goodbye, sizeof goodbye, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void frame_stream::write() {
  while (!failure_ && !unsent_.empty()) {
    std::array<iovec, most_parts> parts;
    std::size_t number = 0;
    std::size_t bytes = 0;
    std::size_t skip = sent_;
    const auto add_part = [&](const void* data, std::size_t size) {
      const std::size_t skipped = std::min(skip, size);
      skip -= skipped;
      size = std::min(size - skipped, most_bytes - bytes);
      if (size == 0 || number == parts.size()) return;
      parts[number++] = {const_cast<std::byte*>(static_cast<const std::byte*>(data)) + skipped, size};
      bytes += size;
    };
    for (const outgoing& o : unsent_) {
      add_part(&o.length, sizeof o.length);
      add_part(o.content.head.data(), o.content.head.size());
      for (const auto& b : o.content.bulk) add_part(b->data(), b->size());
      if (number == parts.size() || bytes == most_bytes) break;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = number;
    const ssize_t written = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0) {
      if (would_block(errno)) return;
      can_send_ = false;
      unsent_.clear();
      return;
    }
    sent_ += static_cast<std::size_t>(written);
    while (!unsent_.empty()) {
      const outgoing& first = unsent_.front();
      const std::size_t size = sizeof first.length + first.content.head.size() + total_size(first.content.bulk);
      if (sent_ < size) break;
      sent_ -= size;
      unsent_.pop_front();
    }
    if (static_cast<std::size_t>(written) < bytes || bytes == most_bytes) return;
  }
}

std::chrono::milliseconds frame_stream::time_without_acknowledgement() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (failure_ || ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  // While the receive window of the peer is full, the kernel probes it with exponential backoff.
  const bool is_waiting = info.tcpi_unacked > 0 || info.tcpi_probes > 1;
  return std::chrono::milliseconds(is_waiting ? info.tcpi_last_ack_recv : 0);
}

// Returns the memory for the next bytes. Empty only for a block without bytes.
std::span<std::byte> frame_stream::wanted() {
  switch (step_) {
    case step::length: return std::as_writable_bytes(std::span(&length_, 1)).subspan(have_);
    case step::head: return std::span(arriving_.head.data(), arriving_.head.size()).subspan(have_);
    case step::block_data: return arriving_.bulk[blocks_here_]->bytes().subspan(have_);
  }
  return {};
}

// The frame's head is complete.
void frame_stream::begin_blocks() {
  for (const block_description& next : take_descriptions(arriving_.head)) {
    if (next.pid != 0) throw message_error("a message over a socket refers to the memory of its sender");
    arriving_.bulk.push_back(make_block(next));
  }
  step_ = step::block_data;
  blocks_here_ = 0;
}

// The next `size` bytes of the current part are in their place.
void frame_stream::take_part(std::size_t size, const std::function<void(frame&&)>& take) {
  have_ += size;
  if (!wanted().empty()) return;
  have_ = 0;
  if (step_ == step::length) {
    if (length_ == heartbeat) return;
    if (length_ == goodbye) {
      has_left_ = true;
      return;
    }
    if (length_ > longest_head) throw message_error("a received message states an impossible length");
    arriving_.head.resize(length_);
    step_ = step::head;
    return;
  }
  if (step_ == step::head) {
    begin_blocks();
  } else {
    ++blocks_here_;
  }
  while (blocks_here_ < arriving_.bulk.size() && arriving_.bulk[blocks_here_]->size() == 0) ++blocks_here_;
  if (blocks_here_ < arriving_.bulk.size()) return;
  step_ = step::length;
  take(std::exchange(arriving_, {}));
}

void frame_stream::read(std::span<std::byte> scratch, const std::function<void(frame&&)>& take) {
  try {
    receive(scratch, take);
  } catch (...) {
    fail("a received message cannot be read");
    throw;
  }
}

void frame_stream::receive(std::span<std::byte> scratch, const std::function<void(frame&&)>& take) {
  for (std::size_t bytes = 0; !failure_ && bytes < most_bytes;) {
    const std::span<std::byte> first = wanted().first(std::min(wanted().size(), most_bytes));
    std::array<iovec, 2> parts{{{first.data(), first.size()}, {scratch.data(), scratch.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = first.size() < scratch.size() ? 2 : 1;
    const ssize_t received = ::recvmsg(socket_, &message, MSG_DONTWAIT);
    if (received <= 0) {
      if (received == 0) fail("the connection was closed");
      if (received < 0 && !would_block(errno)) fail(text_of(errno));
      return;
    }
    has_received_ = true;
    const auto size = static_cast<std::size_t>(received);
    bytes += size;
    const std::size_t in_place = std::min(size, first.size());
    take_part(in_place, take);
    for (std::span<const std::byte> rest = scratch.first(size - in_place); !rest.empty();) {
      const std::span<std::byte> into = wanted();
      const std::size_t n = std::min(into.size(), rest.size());
      std::ranges::copy(rest.first(n), into.begin());
      rest = rest.subspan(n);
      take_part(n, take);
    }
    if (size < first.size() + (message.msg_iovlen == 2 ? scratch.size() : 0)) return;  // there was no more
  }
}

}  // namespace rankpool::detail
