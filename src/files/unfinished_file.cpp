// Unfinished files, and the signal handler that removes them.
#include <rankpool/unfinished_file.hpp>

#include "files/file_calls.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace rankpool {
namespace {

// The handler may read this table at any moment. An entry is null or a C string that lives until it is taken back.
std::array<std::atomic<const char*>, 64> unfinished_paths{};
constexpr std::array<int, 3> ending_signals{SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, ending_signals.size()> previous_actions{};

// Held while a file is created and entered into unfinished_paths, and by the handler from its first look on. So no file is missed,
// and none is created while the process ends.
std::atomic_flag creating = ATOMIC_FLAG_INIT;

void remove_unfinished(int signal) {
  while (creating.test_and_set()) {  // held by another thread: creation_scope blocks signals in its own
  }
  bool has_removed = false;
  for (auto& path : unfinished_paths) {
    if (const char* name = path.load()) has_removed = ::unlink(name) == 0 || has_removed;
  }
  for (std::size_t i = 0; i < ending_signals.size(); ++i) {
    const auto previous = previous_actions[i].sa_handler;
    if (ending_signals[i] == signal && previous != SIG_DFL && previous != SIG_IGN) {
      previous(signal);
      creating.clear();
      return;
    }
  }
  if (has_removed) ::_exit(128 + signal);
  ::signal(signal, SIG_DFL);  // as if the handler did not exist
  ::raise(signal);            // delivered when this handler returns
}

/// While it lives, the handler waits.
class creation_scope {
 public:
  creation_scope() {
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int signal : ending_signals) ::sigaddset(&blocked, signal);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
    while (creating.test_and_set()) std::this_thread::yield();  // held by another thread, or for good by the handler
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
    if (takes_siginfo || previous.sa_handler == SIG_IGN) continue;  // another rule holds, such as nohup's
    struct sigaction action {};
    action.sa_handler = remove_unfinished;
    ::sigemptyset(&action.sa_mask);
    for (const int signal : ending_signals) ::sigaddset(&action.sa_mask, signal);  // the handler holds the lock
    ::sigaction(ending_signals[i], &action, nullptr);
  }
}

/// Returns the entry of the table, or -1 if more files than entries are open. Then a signal leaves this file under its temporary
/// name.
int remember(const char* path) {
  for (std::size_t slot = 0; slot < unfinished_paths.size(); ++slot) {
    const char* expected = nullptr;
    if (unfinished_paths[slot].compare_exchange_strong(expected, path)) return static_cast<int>(slot);
  }
  return -1;
}

void forget(int slot) {
  if (slot >= 0) unfinished_paths[static_cast<std::size_t>(slot)].store(nullptr);
}

}  // namespace

void remove_unfinished_files_on_signals() {
  static std::once_flag installed;
  std::call_once(installed, install_handlers);
}

unfinished_file::unfinished_file(const std::string& final_path) : final_path_(detail::behind_links(final_path)) {
  remove_unfinished_files_on_signals();
  const creation_scope scope;
  // A file of that name belongs to a run that was killed, or to a process with this number on another host. It is left alone.
  const std::string first = final_path_ + ".part-" + std::to_string(::getpid());
  for (int others = 0; descriptor_ < 0; ++others) {
    path_ = others == 0 ? first : first + "." + std::to_string(others);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && (errno != EEXIST || others == 1000)) detail::fail_to_write(errno, final_path);
  }
  slot_ = remember(path_.c_str());
}

unfinished_file::unfinished_file(const std::string& final_path, const std::string& temporary_path)
    : final_path_(detail::behind_links(final_path)),
      path_(temporary_path),
      descriptor_(::open(temporary_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)),
      remains_(true) {
  if (descriptor_ < 0) detail::fail_to_write(errno, path_);
}

unfinished_file::~unfinished_file() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
    if (!remains_) ::unlink(path_.c_str());
  }
  forget(slot_);
}

void unfinished_file::reserve(std::uint64_t bytes) {
  const auto size = static_cast<off_t>(bytes);
  int failure = 0;
  do {  // not posix_fallocate: where a file system cannot reserve, it writes every byte
    failure = bytes == 0 || ::fallocate(descriptor_, 0, 0, size) == 0 ? 0 : errno;
  } while (failure == EINTR);
  if (failure == EOPNOTSUPP || failure == ENOSYS) failure = ::ftruncate(descriptor_, size) == 0 ? 0 : errno;
  if (failure != 0) detail::fail_to_write(failure, final_path_);
}

void unfinished_file::finish(bool overwrite) {
  int error = ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno;
  if (error == 0) error = detail::rename_file(path_, final_path_, overwrite);
  if (error != 0 && !remains_) ::unlink(path_.c_str());
  forget(std::exchange(slot_, -1));
  if (error != 0) detail::fail_to_write(error, final_path_);
}

void unfinished_file::finish(written_files& written, bool overwrite) {
  if (!written.has_journal()) return finish(overwrite);
  detail::sync_file(descriptor_, final_path_);  // before the note: some file systems set the time only now
  const auto version = file_version::of(path_);
  if (!version) detail::fail_to_write(ENOENT, path_);
  written.add({{final_path_, *version}});
  finish(overwrite || written.contains(final_path_));
  detail::sync_folder_of(final_path_);
}

}  // namespace rankpool
