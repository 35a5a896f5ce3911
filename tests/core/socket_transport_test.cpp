// Frames over sockets: their order and content, the ways in which a peer is lost, and the waits. The peers are in this process.
#include "transport/socket_transport.hpp"
#include "support/catch.hpp"
#include "wire/frame.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;

constexpr auto time_limit = 20s;  // until a wait has failed

std::array<int, 2> connected_sockets() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return ends;
}

std::array<int, 2> connected_tcp_sockets() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener, 1) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  std::array<int, 2> ends{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), -1};
  REQUIRE(::connect(ends[0], reinterpret_cast<sockaddr*>(&address), size) == 0);
  ends[1] = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  REQUIRE(ends[1] >= 0);
  ::close(listener);
  return ends;
}

/// Returns how long nothing was received from the other end's kernel.
std::chrono::milliseconds silence_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  REQUIRE(::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
  return std::chrono::milliseconds(info.tcpi_last_ack_recv);
}

socket_transport::options noting_losses(std::vector<std::string>& reasons) {
  return {.on_lost = [&reasons](int peer, const std::string& why) {
    reasons.push_back(why);
    return lost_peer{.peer = peer, .cause = why};
  }};
}

frame result_of(std::uint64_t id, std::size_t bytes) {
  frame_writer out;
  byte_buffer payload;
  payload.resize(bytes);
  for (std::size_t i = 0; i < bytes; ++i) payload.data()[i] = static_cast<std::byte>(i * 7 + id);
  out.result(id, false, 0, std::move(payload));
  return out.take();
}

bool is_result_of(const frame& f, std::uint64_t id, std::size_t bytes) {
  frame_reader in(f);
  record r;
  if (!in.next(r)) return false;
  const auto& result = std::get<result_record>(r);
  bool right = result.id == id && result.payload.size() == bytes;
  for (std::size_t i = 0; right && i < bytes; ++i) right = result.payload[i] == static_cast<std::byte>(i * 7 + id);
  return right;
}

/// Receives on one side while the other one sends.
std::optional<std::pair<int, frame>> receive(socket_transport& to, socket_transport& from) {
  std::pair<int, frame> received;
  for (const auto until = std::chrono::steady_clock::now() + time_limit; std::chrono::steady_clock::now() < until;) {
    if (to.receive(received.first, received.second)) return received;
    (void)from.sent_all();
  }
  return std::nullopt;
}

/// Drives a transport until it reports a loss.
std::optional<lost_peer> await_loss(socket_transport& link) {
  std::pair<int, frame> ignored;
  for (const auto until = std::chrono::steady_clock::now() + time_limit; std::chrono::steady_clock::now() < until;) {
    (void)link.receive(ignored.first, ignored.second);
    if (auto lost = link.take_lost()) return lost;
    link.sleep(link.rings(), std::chrono::steady_clock::now() + 10ms);
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("sockets: the node of a peer whose process reads nothing for long owes no acknowledgement") {
  const auto ends = connected_tcp_sockets();
  frame_stream stream(ends[0]);
  stream.add(result_of(1, 64 << 20));
  const auto deadline = std::chrono::steady_clock::now() + time_limit;
  while (silence_of(ends[0]) < 700ms && std::chrono::steady_clock::now() < deadline) {  // the kernel probes ever more rarely
    stream.write();
    std::this_thread::sleep_for(1ms);
  }
  CHECK(silence_of(ends[0]) >= 700ms);
  CHECK(stream.has_unsent());
  CHECK(stream.time_without_acknowledgement() == 0ms);
  ::close(ends[1]);
}

TEST_CASE("socket transport: frames of all sizes arrive whole and in order", "[socket-transport]") {
  const auto ends = connected_sockets();
  socket_transport rank_0({ends[0]}, {});
  socket_transport worker({ends[1]}, {});
  const std::vector<std::size_t> sizes{0, 1, 31, 33, 1000, 60'000, bulk_bytes, 300'000, 5'000'000, 8, 20'000'000, 2};
  for (std::size_t s = 0; s < sizes.size(); ++s) worker.send(0, result_of(s, sizes[s]));
  CHECK(worker.transferring());
  for (std::size_t s = 0; s < sizes.size(); ++s) {
    const auto received = receive(rank_0, worker);
    REQUIRE(received);
    CHECK(received->first == 0);
    CHECK(is_result_of(received->second, s, sizes[s]));
  }
  CHECK(worker.sent_all());
  CHECK_FALSE(worker.transferring());
  CHECK_FALSE(rank_0.transferring());
}

TEST_CASE("socket transport: a full connection to one peer delays no other one", "[socket-transport]") {
  const auto slow = connected_sockets();
  const auto fast = connected_sockets();
  socket_transport rank_0({slow[0], fast[0]}, {});
  socket_transport worker({fast[1]}, {});
  rank_0.send(0, result_of(1, 30'000'000));
  rank_0.send(1, result_of(2, 10));
  const auto received = receive(worker, rank_0);
  REQUIRE(received);
  CHECK(is_result_of(received->second, 2, 10));
  CHECK_FALSE(rank_0.sent_all());
  ::close(slow[1]);
}

TEST_CASE("socket transport: a peer whose process ends is lost, with what it sent before", "[socket-transport]") {
  const auto ends = connected_sockets();
  std::vector<std::string> reasons;
  socket_transport rank_0({ends[0]}, noting_losses(reasons));
  {
    frame_stream worker(ends[1]);
    worker.add(result_of(1, 10));
    worker.write();
  }
  std::pair<int, frame> received;
  REQUIRE(rank_0.receive(received.first, received.second));
  CHECK(is_result_of(received.second, 1, 10));
  const auto lost = await_loss(rank_0);
  REQUIRE(lost);
  CHECK(lost->peer == 0);
  CHECK(reasons == std::vector<std::string>{"the connection was closed"});
  rank_0.send(0, result_of(2, 10));  // is discarded
  CHECK(rank_0.sent_all());
  CHECK_FALSE(rank_0.take_lost());
}

TEST_CASE("socket transport: a process that a lost peer has forked does not keep its connection open", "[socket-transport]") {
  const auto ends = connected_sockets();
  std::vector<std::string> reasons;
  socket_transport rank_0({ends[0]}, noting_losses(reasons));
  std::array<int, 2> life{};
  REQUIRE(::pipe(life.data()) == 0);
  pid_t child = 0;
  {
    const frame_stream worker(ends[1]);
    child = ::fork();
    if (child == 0) {
      char end = 0;
      ::close(life[1]);
      (void)!::read(life[0], &end, 1);  // until the test ends
      ::_exit(0);
    }
    ::close(ends[1]);  // as if the process had ended: no shutdown()
    std::pair<int, frame> received;
    CHECK_FALSE(rank_0.receive(received.first, received.second));
    CHECK(await_loss(rank_0));
  }
  ::close(life[0]);
  ::close(life[1]);
  CHECK(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("socket transport: a peer whose connection ends within a frame is lost", "[socket-transport]") {
  const auto ends = connected_sockets();
  std::vector<std::string> reasons;
  socket_transport rank_0({ends[0]}, noting_losses(reasons));
  const std::uint64_t length = 1000;
  REQUIRE(::write(ends[1], &length, sizeof length) == sizeof length);
  std::pair<int, frame> received;
  CHECK_FALSE(rank_0.receive(received.first, received.second));
  CHECK(rank_0.transferring());
  ::close(ends[1]);
  CHECK(await_loss(rank_0));
  CHECK_FALSE(rank_0.transferring());
}

TEST_CASE("socket transport: a peer that ends in an orderly way is not lost", "[socket-transport]") {
  const auto ends = connected_sockets();
  std::vector<std::string> reasons;
  socket_transport rank_0({ends[0]}, noting_losses(reasons));
  { const socket_transport worker({ends[1]}, {}); }
  std::pair<int, frame> received;
  CHECK_FALSE(rank_0.receive(received.first, received.second));
  CHECK_FALSE(rank_0.take_lost());
  CHECK(reasons.empty());
}

TEST_CASE("socket transport: a loss after the end of the watch is not reported", "[socket-transport]") {
  const auto ends = connected_sockets();
  std::vector<std::string> reasons;
  socket_transport rank_0({ends[0]}, noting_losses(reasons));
  rank_0.end_watch();
  ::close(ends[1]);
  std::pair<int, frame> received;
  CHECK_FALSE(rank_0.receive(received.first, received.second));
  CHECK_FALSE(rank_0.take_lost());
  CHECK(reasons.empty());
}

TEST_CASE("socket transport: a peer that sends no heartbeat is lost, one that sends them is not", "[socket-transport]") {
  const auto silent = connected_sockets();
  const auto alive = connected_sockets();
  std::vector<std::string> reasons;
  auto options = noting_losses(reasons);
  options.heartbeat_timeout = 1s;
  socket_transport rank_0({silent[0], alive[0]}, options);
  std::atomic<bool> is_over = false;
  std::thread worker([&] {
    socket_transport link({alive[1]}, {.heartbeat_interval = 100ms});
    std::pair<int, frame> ignored;
    while (!is_over) {
      (void)link.receive(ignored.first, ignored.second);
      link.sleep(link.rings(), std::chrono::steady_clock::now() + 20ms);
    }
  });
  const auto lost = await_loss(rank_0);
  is_over = true;
  worker.join();
  REQUIRE(lost);
  CHECK(lost->peer == 0);
  CHECK(reasons == std::vector<std::string>{"nothing was received from it for 1 s"});
  char byte = 0;
  CHECK(::read(silent[1], &byte, 1) == 0);  // rank 0 has closed the connection
  ::close(silent[1]);
}

TEST_CASE("socket transport: a damaged message is an error", "[socket-transport]") {
  const auto ends = connected_sockets();
  socket_transport rank_0({ends[0]}, {});
  const std::uint64_t length = std::uint64_t{1} << 40;
  REQUIRE(::write(ends[1], &length, sizeof length) == sizeof length);
  std::pair<int, frame> received;
  CHECK_THROWS_AS(rank_0.receive(received.first, received.second), message_error);
  ::close(ends[1]);
}

TEST_CASE("socket transport: a sleep ends with a message, with wake(), and at its deadline", "[socket-transport]") {
  const auto ends = connected_sockets();
  socket_transport rank_0({ends[0]}, {});
  socket_transport worker({ends[1]}, {});
  const auto slept = [&](std::uint32_t seen, std::chrono::nanoseconds at_most) {
    const auto begin = std::chrono::steady_clock::now();
    rank_0.sleep(seen, begin + at_most);
    return std::chrono::steady_clock::now() - begin;
  };
  CHECK(slept(rank_0.rings(), 20ms) >= 20ms);
  const std::uint32_t seen = rank_0.rings();
  rank_0.wake();
  CHECK_FALSE(rank_0.prepare_sleep(seen));
  CHECK(slept(seen, 1h) < time_limit);
  CHECK(slept(rank_0.rings(), 1h) < time_limit);  // receive() has not taken the ring
  std::pair<int, frame> received;
  CHECK_FALSE(rank_0.receive(received.first, received.second));
  rank_0.nudge();
  CHECK(slept(rank_0.rings(), 1h) < time_limit);
  CHECK_FALSE(rank_0.receive(received.first, received.second));
  worker.send(0, result_of(1, 10));
  CHECK(slept(rank_0.rings(), 1h) < time_limit);
  CHECK(rank_0.receive(received.first, received.second));
}
