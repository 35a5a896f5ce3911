#include "lent_stdout.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

namespace rankpool::detail {
namespace {

constexpr const char* variable = "RANKPOOL_STDOUT";

struct local_address {
  sockaddr_un address{};
  socklen_t size = 0;

  /// An abstract name: no file that could be left behind, and known on this node alone.
  explicit local_address(const std::string& name) {
    address.sun_family = AF_UNIX;
    const std::size_t length = name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

/// A message of one byte with room for one descriptor beside it.
struct descriptor_message {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  char byte = 0;
  iovec content{&byte, 1};
  msghdr header{};

  descriptor_message() {
    header.msg_iov = &content;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
};

bool is_own_process(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

void send_descriptor(int connection, int descriptor) {
  descriptor_message message;
  cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(control), &descriptor, sizeof descriptor);
  ::sendmsg(connection, &message.header, MSG_NOSIGNAL);
}

/// -1 if none came.
int receive_descriptor(int connection) {
  descriptor_message message;
  if (::recvmsg(connection, &message.header, MSG_CMSG_CLOEXEC) != 1) return -1;
  const cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  if (control == nullptr || control->cmsg_type != SCM_RIGHTS) return -1;
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(control), sizeof descriptor);
  return descriptor;
}

}  // namespace

stdout_lender::stdout_lender() {
  const std::string name = "rankpool-" + std::to_string(::getpid()) + "-" + std::to_string(std::random_device{}());
  const local_address address(name);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || ::bind(listener_, address.get(), address.size) != 0 || ::listen(listener_, 4) != 0) return;
  ::setenv(variable, name.c_str(), 1);
  lending_ = std::thread([this] {
    for (int connection; (connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(connection)) {
      if (!is_own_process(connection)) continue;
      send_descriptor(connection, STDOUT_FILENO);
      lent_ = true;
    }
  });
}

stdout_lender::~stdout_lender() {
  if (listener_ < 0) return;
  ::shutdown(listener_, SHUT_RDWR);  // accept4 returns
  if (lending_.joinable()) lending_.join();
  ::close(listener_);
}

void borrow_stdout() {
  const char* name = std::getenv(variable);
  if (name == nullptr) return;
  const local_address address(name);
  ::unsetenv(variable);
  const int connection = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) return;
  if (::connect(connection, address.get(), address.size) == 0) {
    if (const int lent = receive_descriptor(connection); lent >= 0) {
      ::dup2(lent, STDOUT_FILENO);
      ::close(lent);
    }
  }
  ::close(connection);
}

}  // namespace rankpool::detail
