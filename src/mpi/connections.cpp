#include "mpi/connections.hpp"

#include "mpi/mpi_check.hpp"

#include <mpi.h>
#include <boost/mpi/collectives.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto time_for_address = 4s;  // to connect to one address
constexpr auto time_for_worker = 16s;  // for a worker to connect to one of the addresses
constexpr auto time_for_hello = 4s;    // from the connection to the first message
constexpr auto pause = 1ms;            // polling interval of MPI_Test

// Where the root listens.
struct listen_address {
  std::uint16_t port = 0;  // 0: it cannot listen
  std::uint64_t secret = 0;
  std::vector<std::string> addresses;
  std::string problem;

  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar& port& secret& addresses& problem;
  }
};

// The first message of a worker.
struct hello {
  std::uint64_t secret = 0;
  std::int64_t rank = 0;
};

class socket_owner {
 public:
  explicit socket_owner(int socket = -1) : socket_(socket) {}
  socket_owner(socket_owner&& other) noexcept : socket_(other.release()) {}
  socket_owner& operator=(socket_owner&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  ~socket_owner() {
    if (socket_ >= 0) ::close(socket_);
  }
  int get() const { return socket_; }
  int release() { return std::exchange(socket_, -1); }
  explicit operator bool() const { return socket_ >= 0; }

 private:
  int socket_;
};

std::string reason(int number) { return std::generic_category().message(number); }

int milliseconds_until(clock::time_point deadline) {
  return static_cast<int>(std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()).count()));
}

bool wait_for(int socket, short events, clock::time_point deadline) {
  pollfd waiting{socket, events, 0};
  for (;;) {
    const int ready = ::poll(&waiting, 1, milliseconds_until(deadline));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

void set(int socket, int level, int option, int value) { (void)::setsockopt(socket, level, option, &value, sizeof value); }

// Frames leave at once. An idle connection to a node that is cut off fails. If sent data is not acknowledged, the transport notices
// it: TCP_USER_TIMEOUT would also break the connection to a process that reads nothing for long, such as rank 0 in a callback.
void prepare(int socket, std::chrono::nanoseconds dead_after) {
  constexpr int probes = 4;
  const auto limit = std::chrono::ceil<std::chrono::seconds>(dead_after).count();
  const int interval = static_cast<int>(std::clamp<std::int64_t>(limit / (probes + 1), 1, 3600));
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE, interval);
  set(socket, IPPROTO_TCP, TCP_KEEPINTVL, interval);
  set(socket, IPPROTO_TCP, TCP_KEEPCNT, probes);
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

// The addresses of the network interfaces that are up, IPv4 first, without link-local ones, which need the name of an interface.
std::vector<std::string> own_addresses() {
  std::vector<std::string> found;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(all, &::freeifaddrs);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next) {
      if (a->ifa_addr == nullptr || (a->ifa_flags & IFF_UP) == 0 || (a->ifa_flags & IFF_LOOPBACK) != 0) continue;
      if (a->ifa_addr->sa_family != family) continue;
      if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(a->ifa_addr)->sin6_addr)) continue;
      std::array<char, NI_MAXHOST> text{};
      const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
      const int failed = ::getnameinfo(a->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
      if (failed == 0) found.emplace_back(text.data());
    }
  }
  return found;
}

// Listens on all interfaces: with IPv6 and IPv4, or with IPv4 alone where there is no IPv6.
socket_owner listen_anywhere(int backlog, listen_address& where) {
  for (const int family : {AF_INET6, AF_INET}) {
    socket_owner s(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address{};
    address.ss_family = static_cast<sa_family_t>(family);
    socklen_t size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    if (s && family == AF_INET6) set(s.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (!s || ::bind(s.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(s.get(), backlog) != 0 ||
        ::getsockname(s.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      where.problem = "rank 0 cannot listen for its workers: " + reason(errno);
      continue;
    }
    where.port = ntohs(family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                          : reinterpret_cast<const sockaddr_in&>(address).sin_port);
    where.problem.clear();
    return s;
  }
  return socket_owner();
}

// Connects to one address. Returns no socket if that fails, and sets `problem`.
socket_owner connect_to(const std::string& host, const std::string& port, clock::time_point deadline, std::string& problem) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); failed != 0) {
    problem = host + ": " + ::gai_strerror(failed);
    return socket_owner();
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  socket_owner s(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  int error = 0;
  if (!s) {
    error = errno;
  } else if (::connect(s.get(), found->ai_addr, found->ai_addrlen) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      socklen_t size = sizeof error;
      error = ETIMEDOUT;
      if (wait_for(s.get(), POLLOUT, deadline)) (void)::getsockopt(s.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error == 0) return s;
  problem = host + " port " + port + ": " + reason(error);
  return socket_owner();
}

// A worker: connects to the root, and says who it is.
socket_owner connect_to_root(const listen_address& root, int rank, bool is_on_node, std::string& problem) {
  std::vector<std::string> hosts = root.addresses;
  if (is_on_node) hosts.insert(hosts.begin(), "127.0.0.1");
  if (!is_on_node) hosts.emplace_back("127.0.0.1");  // simulated nodes on a machine without a network
  const auto until = clock::now() + time_for_worker;
  for (const std::string& host : hosts) {
    socket_owner s = connect_to(host, std::to_string(root.port), std::min(until, clock::now() + time_for_address), problem);
    if (!s) continue;
    const hello me{root.secret, rank};
    std::uint64_t answer = 0;
    if (::send(s.get(), &me, sizeof me, MSG_NOSIGNAL) == sizeof me && wait_for(s.get(), POLLIN, clock::now() + time_for_hello) &&
        ::recv(s.get(), &answer, sizeof answer, 0) == sizeof answer && answer == ~root.secret) {  // an echo is not the answer
      return s;
    }
    problem = host + " does not answer as rank 0";
  }
  return socket_owner();
}

// The root: accepts pending connections, and keeps those whose first message has the secret.
class acceptor {
 public:
  acceptor(int listening, std::uint64_t secret, std::vector<socket_owner>& ranks)
      : listening_(listening), secret_(secret), ranks_(ranks) {}

  void work() {
    for (;;) {
      socket_owner s(::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!s) break;
      pending_.push_back({std::move(s), clock::now() + time_for_hello});
    }
    std::erase_if(pending_, [&](pending_connection& c) {
      hello message;
      const ssize_t size = ::recv(c.socket.get(), &message, sizeof message, 0);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return clock::now() > c.until;
      const bool is_known = size == sizeof message && message.secret == secret_ && message.rank >= 0 &&
                            message.rank < static_cast<std::int64_t>(ranks_.size());
      const std::uint64_t answer = ~secret_;
      if (is_known && ::send(c.socket.get(), &answer, sizeof answer, MSG_NOSIGNAL) == sizeof answer) {
        ranks_[static_cast<std::size_t>(message.rank)] = std::move(c.socket);
      }
      return true;
    });
  }

 private:
  struct pending_connection {
    socket_owner socket;
    clock::time_point until;
  };
  const int listening_;
  const std::uint64_t secret_;
  std::vector<socket_owner>& ranks_;
  std::vector<pending_connection> pending_;
};

std::uint64_t random_number() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32 | random();
}

}  // namespace

connection_result connect_ranks(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes,
                                std::chrono::nanoseconds dead_after) {
  const bool is_root = world.rank() == root;
  listen_address where;
  socket_owner listening;
  if (is_root) {
    where.secret = random_number();
    where.addresses = own_addresses();
    listening = listen_anywhere(world.size(), where);
    if (listening) (void)::fcntl(listening.get(), F_SETFL, O_NONBLOCK);
  }
  boost::mpi::broadcast(world, where, root);

  std::vector<socket_owner> ranks(is_root ? static_cast<std::size_t>(world.size()) : 1);
  std::string problem = where.problem;
  if (!is_root && where.port != 0) {
    ranks[0] = connect_to_root(where, world.rank(), nodes[static_cast<std::size_t>(world.rank())] == 0, problem);
    if (ranks[0]) problem.clear();
  }
  // The root accepts connections until every worker has tried to connect.
  MPI_Request all_have_tried = MPI_REQUEST_NULL;
  mpi_check(MPI_Ibarrier(world, &all_have_tried), "MPI_Ibarrier");
  acceptor connections(listening.get(), where.secret, ranks);
  for (int done = 0; done == 0;) {
    if (is_root && listening) connections.work();
    mpi_check(MPI_Test(&all_have_tried, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done == 0) (void)::poll(nullptr, 0, static_cast<int>(pause / 1ms));
  }
  for (std::size_t r = 0; is_root && problem.empty() && r < ranks.size(); ++r) {
    if (static_cast<int>(r) != root && !ranks[r]) problem = "rank " + std::to_string(r) + " has not connected";
  }
  std::vector<std::string> problems;
  boost::mpi::all_gather(world, problem, problems);
  connection_result result;
  for (std::size_t r = 0; r < problems.size() && result.problem.empty(); ++r) {
    if (problems[r].empty()) continue;
    result.problem =
        static_cast<int>(r) == root ? problems[r] : "rank " + std::to_string(r) + " cannot connect to rank 0: " + problems[r];
  }
  if (!result.problem.empty()) return result;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (is_root && static_cast<int>(r) == root) continue;
    prepare(ranks[r].get(), dead_after);
    result.sockets.push_back(ranks[r].release());
  }
  return result;
}

}  // namespace rankpool::detail
