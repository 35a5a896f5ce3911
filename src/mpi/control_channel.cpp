// The local socket between rank 0 and the process that the user started: addresses, permission to begin, exit status.
#include "mpi/control_channel.hpp"

#include "support/log.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr const char* socket_variable = "RANKPOOL_CONTROL";  // its value is the name of the socket
constexpr std::string_view with_input = "-with-input";       // suffix of the name if stdin is a pipe or a file

// What rank 0 reports.
struct report_message {
  enum class kind : int { ready, status, signal, remote_loss } what = kind::ready;
  int value = 0;
};

std::atomic<int> connection_of_rank_0 = -1;  // for a signal handler

void send_report(int connection, const report_message& message) {
  if (connection >= 0) (void)!::send(connection, &message, sizeof message, MSG_NOSIGNAL);
}

constexpr std::array standard_streams{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};

struct local_address {
  sockaddr_un address{};
  socklen_t size = 0;

  /// The name is abstract: it leaves no file behind and is visible on this node only.
  explicit local_address(std::string_view name) {
    address.sun_family = AF_UNIX;
    const std::size_t length = name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

/// The message that permits rank 0 to begin: one byte, and the descriptors of the streams as ancillary data.
struct permission {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof standard_streams)] = {};
  char byte = 0;
  iovec content{&byte, 1};
  msghdr header{};

  permission() {
    header.msg_iov = &content;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
};

int open_unreadable() { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); }

/// Returns whether a read from the terminal would stop this process. Rank 0 runs in another session, where the same read
/// would steal the input of the foreground process.
bool is_in_background() {
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  return foreground >= 0 && foreground != ::getpgrp();
}

bool send_permission(int connection) {
  permission message;
  auto descriptors = standard_streams;
  const int unreadable = is_in_background() ? open_unreadable() : -1;
  if (unreadable >= 0) descriptors[STDIN_FILENO] = unreadable;
  cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof standard_streams);
  std::memcpy(CMSG_DATA(control), descriptors.data(), sizeof descriptors);
  const bool sent = ::sendmsg(connection, &message.header, MSG_NOSIGNAL) == 1;
  if (unreadable >= 0) ::close(unreadable);
  return sent;
}

/// Replaces the standard streams of this process by those that it receives. Blocks: until they arrive or the connection ends.
void receive_permission(int connection) {
  permission message;
  ssize_t got = 0;
  do {
    got = ::recvmsg(connection, &message.header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* control = got == 1 ? CMSG_FIRSTHDR(&message.header) : nullptr;
  if (control == nullptr || control->cmsg_type != SCM_RIGHTS || control->cmsg_len != CMSG_LEN(sizeof standard_streams)) return;
  std::array<int, standard_streams.size()> descriptors{};
  std::memcpy(descriptors.data(), CMSG_DATA(control), sizeof descriptors);
  for (const int stream : standard_streams) {
    const int descriptor = descriptors[static_cast<std::size_t>(stream)];
    ::dup2(descriptor, stream);
    ::close(descriptor);
  }
}

/// Returns whether the launcher starts rank 0 on another node: this process is in a Slurm allocation but not on one of its nodes.
bool is_rank_0_remote() { return std::getenv("SLURM_JOB_ID") != nullptr && std::getenv("SLURMD_NODENAME") == nullptr; }

bool has_input() {
  struct stat status {};
  return ::fstat(STDIN_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode));
}

/// Makes reads from stdin fail. With /dev/null opened for reading they would look like the end of the input.
void make_stdin_unreadable() {
  const int nothing = open_unreadable();
  if (nothing < 0) return;
  ::dup2(nothing, STDIN_FILENO);
  ::close(nothing);
}

pid_t rank_0 = 0;  // a process that it forks has its exit handlers as well

void report_exit_status(int status, void*) {
  if (::getpid() == rank_0) send_report(connection_of_rank_0, {report_message::kind::status, status});
}

void report_at_exit() {
#ifdef __GLIBC__
  rank_0 = ::getpid();
  Dl_info own{};  // the handler must exist at the end, also if the program unloads the library that contains it
  if (::dladdr(reinterpret_cast<void*>(&report_exit_status), &own) != 0) {
    (void)::dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }
  ::on_exit(report_exit_status, nullptr);
#endif
}

}  // namespace

rank_0_control::rank_0_control() {
  if (is_rank_0_remote()) return;
  const std::string name = "rankpool-" + std::to_string(::getpid()) + "-" + std::to_string(std::random_device{}()) +
                           std::string(has_input() ? with_input : "");
  const local_address address(name);
  listener_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) return;
  if (::bind(listener_, address.get(), address.size) == 0 && ::listen(listener_, 4) == 0) {
    offered_ = true;
    ::setenv(socket_variable, name.c_str(), 1);
  } else {
    ::close(std::exchange(listener_, -1));
  }
}

rank_0_control::~rank_0_control() {
  for (const int descriptor : {listener_, connection_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
  if (offered_) ::unsetenv(socket_variable);
}

void rank_0_control::on_readable(bool permitted) {
  if (connection_ < 0) {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) return;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != ::geteuid()) {
      ::close(connection);
      return;
    }
    connection_ = connection;
    process_ = peer.pid;
    if (permitted) begun_ = send_permission(connection_);  // without permission it waits until it is killed
    return;
  }
  report_message message;
  const ssize_t got = ::recv(connection_, &message, sizeof message, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got == sizeof message) {
    switch (message.what) {
      case report_message::kind::ready: ready_ = true; break;
      case report_message::kind::status: status_ = message.value; break;
      case report_message::kind::signal: signal_ = message.value; break;
      case report_message::kind::remote_loss: has_remote_loss_ = true; break;
    }
  } else {  // rank 0 has ended
    ::close(std::exchange(connection_, -1));
    ::close(std::exchange(listener_, -1));
  }
}

launcher_control::launcher_control(bool is_rank_0) {
  const char* value = std::getenv(socket_variable);
  if (value == nullptr) return;
  const std::string name(value);
  ::unsetenv(socket_variable);
  if (!is_rank_0) return;
  const local_address address(name);
  connection_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (connection_ >= 0 && ::connect(connection_, address.get(), address.size) == 0) {
    receive_permission(connection_);
    connection_of_rank_0 = connection_;
    return;
  }
  if (connection_ >= 0) ::close(std::exchange(connection_, -1));
  make_stdin_unreadable();
  if (name.ends_with(with_input)) {
    log_line(
        "rank 0 cannot read standard input: it runs on another node than the process that started it; "
        "give the program a file, or start it with mpirun");
  }
}

launcher_control::~launcher_control() {
  if (connection_ >= 0) report_at_exit();
}

void launcher_control::report_ready() const { send_report(connection_, {report_message::kind::ready, 0}); }

void launcher_control::report(int status) const { send_report(connection_, {report_message::kind::status, status}); }

void launcher_control::report_remote_loss() const { send_report(connection_, {report_message::kind::remote_loss, 0}); }

void launcher_control::report_ending(const termination& end) {
  if (end.signal != 0) send_report(connection_of_rank_0.load(), {report_message::kind::signal, end.signal});
}

}  // namespace rankpool::detail
