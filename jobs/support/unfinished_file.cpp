#include "support/unfinished_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace jobs {
namespace {

[[noreturn]] void fail(int error, const std::string& path) { throw std::system_error(error, std::generic_category(), path); }

// What the handler may read at any moment: a pointer is either null or a C string that stays until it is taken back.
std::array<std::atomic<const char*>, 64> unfinished_paths{};
constexpr std::array<int, 3> ending_signals{SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, ending_signals.size()> previous_actions{};

/// Held while a file is created and entered into unfinished_paths, and by the handler from its first look on: no file is
/// missed, and none is created while the process ends.
std::atomic_flag creating = ATOMIC_FLAG_INIT;

void remove_unfinished(int signal) {
  while (creating.test_and_set()) {  // by another thread: creation_scope blocks signals in its own
  }
  for (auto& path : unfinished_paths) {
    if (const char* name = path.load()) ::unlink(name);
  }
  for (std::size_t i = 0; i < ending_signals.size(); ++i) {
    const auto previous = previous_actions[i].sa_handler;
    if (ending_signals[i] == signal && previous != SIG_DFL && previous != SIG_IGN) {
      previous(signal);
      creating.clear();
      return;
    }
  }
  ::_exit(128 + signal);
}

/// While it lives, the handler waits.
class creation_scope {
 public:
  creation_scope() {
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int signal : ending_signals) ::sigaddset(&blocked, signal);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
    while (creating.test_and_set()) std::this_thread::yield();  // by another thread, or for good by the handler
  }
  ~creation_scope() {
    creating.clear();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  creation_scope(const creation_scope&) = delete;
  creation_scope& operator=(const creation_scope&) = delete;

 private:
  sigset_t before_{};
};

void install_handlers() {
  for (std::size_t i = 0; i < ending_signals.size(); ++i) {
    struct sigaction& previous = previous_actions[i];
    ::sigaction(ending_signals[i], nullptr, &previous);
    const bool takes_siginfo = (previous.sa_flags & SA_SIGINFO) != 0;
    if (takes_siginfo || previous.sa_handler == SIG_IGN) continue;  // somebody else's rule, such as nohup's
    struct sigaction action {};
    action.sa_handler = remove_unfinished;
    ::sigemptyset(&action.sa_mask);
    for (const int signal : ending_signals) ::sigaddset(&action.sa_mask, signal);  // it holds the lock
    ::sigaction(ending_signals[i], &action, nullptr);
  }
}

int remember(const char* path) {
  for (std::size_t slot = 0; slot < unfinished_paths.size(); ++slot) {
    const char* expected = nullptr;
    if (unfinished_paths[slot].compare_exchange_strong(expected, path)) return static_cast<int>(slot);
  }
  return -1;  // more files at once than slots: this one survives a signal, under its temporary name
}

void forget(int slot) {
  if (slot >= 0) unfinished_paths[static_cast<std::size_t>(slot)].store(nullptr);
}

/// 0, or errno: EEXIST if the name is taken by a file that is not to be replaced, or by anything but a regular file.
int rename_file(const char* from, const char* to, bool replace) {
  if (replace) {
    struct stat status {};
    if (::lstat(to, &status) == 0 && !S_ISREG(status.st_mode)) return EEXIST;
    return std::rename(from, to) == 0 ? 0 : errno;
  }
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // NFS and others cannot do that, but most of these have links, which replace nothing.
  if (::link(from, to) == 0) {
    ::unlink(from);
    return 0;
  }
  if (errno == EEXIST || ::access(to, F_OK) == 0) return EEXIST;
  return std::rename(from, to) == 0 ? 0 : errno;
}

}  // namespace

void remove_unfinished_on_signals() {
  static std::once_flag installed;
  std::call_once(installed, install_handlers);
}

std::string behind_links(const std::string& path, const std::function<bool(const std::filesystem::path&)>& is_last) {
  std::filesystem::path found = path;
  for (int links = 0; links < 40; ++links) {  // as many as Linux follows
    if (is_last && is_last(found)) break;
    std::error_code error;
    const std::filesystem::path target = std::filesystem::read_symlink(found, error);
    if (error) break;
    found = found.parent_path() / target;
  }
  return found.string();
}

void name_file(const std::string& path, const std::string& final_path, bool replace) {
  if (const int error = rename_file(path.c_str(), final_path.c_str(), replace); error != 0) fail(error, final_path);
}

unfinished_file::unfinished_file(const std::string& final_path) : final_path_(behind_links(final_path)) {
  remove_unfinished_on_signals();
  const creation_scope scope;
  // A file of that name is a killed run's, or that of a process of the same number on another host: it is left alone.
  const std::string first = final_path_ + ".part-" + std::to_string(::getpid());
  for (int others = 0; descriptor_ < 0; ++others) {
    path_ = others == 0 ? first : first + "." + std::to_string(others);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && (errno != EEXIST || others == 1000)) fail(errno, final_path_);
  }
  slot_ = remember(path_.c_str());
}

unfinished_file::unfinished_file(const std::string& final_path, const std::string& path)
    : final_path_(behind_links(final_path)),
      path_(path),
      descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)),
      stays_(true) {
  if (descriptor_ < 0) fail(errno, path_);
}

unfinished_file::~unfinished_file() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    if (!stays_) ::unlink(path_.c_str());
  }
  forget(slot_);
}

void unfinished_file::reserve(std::uint64_t bytes) {
  const auto size = static_cast<off_t>(bytes);
  int failure = 0;
  do {  // not posix_fallocate: where a file system cannot reserve, that writes every byte
    failure = bytes == 0 || ::fallocate(descriptor_, 0, 0, size) == 0 ? 0 : errno;
  } while (failure == EINTR);
  if (failure == EOPNOTSUPP || failure == ENOSYS) failure = ::ftruncate(descriptor_, size) == 0 ? 0 : errno;
  if (failure != 0) fail(failure, final_path_);
}

void unfinished_file::finish(bool replace) {
  const auto fail_and_remove = [this](int error) {
    if (!stays_) ::unlink(path_.c_str());
    fail(error, final_path_);
  };
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_and_remove(errno);
  if (const int error = rename_file(path_.c_str(), final_path_.c_str(), replace); error != 0) fail_and_remove(error);
  forget(std::exchange(slot_, -1));
}

}  // namespace jobs
