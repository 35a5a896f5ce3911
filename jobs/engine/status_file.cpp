#include "engine/status_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>
#include <rankpool/written_files.hpp>
#include <system_error>
#include <utility>

#include "support/file_io.hpp"
#include "support/in_quotes.hpp"

namespace jobs {
namespace {

using namespace std::chrono_literals;

constexpr int milliseconds_between_writes = 1000;
constexpr auto longest_finish = 5s;
constexpr std::size_t most_bytes = std::size_t{16} << 20;

// ---- signals

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP};

// What the handler and the thread share. The eventfd exists until the process ends, because a handler may use it at any moment.
std::atomic<int> event = -1;
std::atomic<pid_t> owner = 0;  // the process with a thread that writes; 0: none
std::atomic<int> ending_signal = 0;
std::atomic<bool> is_signal_written = false;
std::array<struct sigaction, NSIG> earlier_actions{};

void notify() {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);
}

std::string ended_by(int signal) { return "ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")"; }

/// Lets the thread write the state, waits for that, and passes the signal on.
void write_before_end(int signal) {
  const int error = errno;
  if (::getpid() == owner.load()) {
    constexpr int most_waits = 80;
    constexpr timespec wait{.tv_sec = 0, .tv_nsec = 5'000'000};
    ending_signal = signal;
    notify();
    for (int i = 0; i < most_waits && !is_signal_written.load(); ++i) ::nanosleep(&wait, nullptr);
  }
  errno = error;
  const auto earlier = earlier_actions[static_cast<std::size_t>(signal)].sa_handler;
  if (earlier != SIG_DFL) return earlier(signal);
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered when this handler returns
}

/// Once in a process: a handler that was installed later may call these as the previous ones.
void install_handlers(bool has_stop_signals) {
  for (const int signal : ending_signals) {
    if (has_stop_signals && signal != SIGHUP) continue;
    struct sigaction& earlier = earlier_actions[static_cast<std::size_t>(signal)];
    ::sigaction(signal, nullptr, &earlier);
    if ((earlier.sa_flags & SA_SIGINFO) != 0 || earlier.sa_handler == SIG_IGN) continue;  // such as nohup's
    struct sigaction action {};
    action.sa_handler = write_before_end;
    ::sigemptyset(&action.sa_mask);
    for (const int blocked : ending_signals) ::sigaddset(&action.sa_mask, blocked);
    ::sigaction(signal, &action, nullptr);
  }
}

void block_signals() {
  sigset_t all;
  ::sigfillset(&all);  // also SIGXFSZ: a file that exceeds a limit is an error of write()
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// ---- files

/// Replaces the file. Returns 0 or errno.
int replace_file(const std::string& path, const std::string& temporary, const std::string& text) {
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor < 0) return errno;
  int error = write_all(descriptor, text);
  if (::close(descriptor) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) ::unlink(temporary.c_str());
  return error;
}

}  // namespace

struct status_file::shared_state {
  const std::string name;  // as given, for messages
  const std::string path;
  const std::string temporary;
  std::mutex mutex{};
  // With the mutex:
  compose text;
  std::function<void(const std::string&)> complain;
  std::optional<std::string> last{};  // the final state, once it is known
  bool has_ended = false;
  std::condition_variable ends{};
};

status_file::status_file(const std::string& path, compose text, std::function<void(const std::string&)> complain,
                         bool has_stop_signals) {
  const std::string target = rankpool::canonical_path(path);
  state_ = std::make_shared<shared_state>(path, target, target + ".part-" + std::to_string(::getpid()));
  state_->text = std::move(text);
  state_->complain = std::move(complain);
  if (event < 0) {
    event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) throw std::system_error(errno, std::generic_category(), "cannot write the state of the run: eventfd");
    install_handlers(has_stop_signals);
  }
  thread_ = std::thread([state = state_] { write_states(state); });
  owner = ::getpid();
}

status_file::~status_file() { finish(run_status::stage::failed, "the run has ended with an unknown error"); }

void status_file::finish(run_status::stage stage, const std::string& error) {
  if (state_ == nullptr) return;
  owner = 0;
  const std::shared_ptr<shared_state> state = std::exchange(state_, nullptr);
  std::unique_lock lock(state->mutex);
  state->last = state->text(stage, error);
  notify();
  if (!state->ends.wait_for(lock, longest_finish, [&] { return state->has_ended; })) {
    state->complain("the final state was not written to status file " + in_quotes(state->name) +
                    " within 5 s; its file system is slow");
  }
  const bool has_ended = state->has_ended;
  state->text = nullptr;
  state->complain = nullptr;
  lock.unlock();
  has_ended ? thread_.join() : thread_.detach();
}

void status_file::write_states(const std::shared_ptr<shared_state>& state) {
  block_signals();
  bool has_complained = false;
  for (;;) {
    std::uint64_t notifications = 0;
    (void)!::read(event, &notifications, sizeof notifications);
    const int signal = ending_signal.exchange(0);
    bool is_last = false;
    std::string problem;
    try {
      std::string text;
      {
        const std::lock_guard lock(state->mutex);
        is_last = state->last.has_value();
        text = is_last       ? *state->last
               : signal != 0 ? state->text(run_status::stage::stopped, ended_by(signal))
                             : state->text(run_status::stage::running, "");
      }
      if (const int error = replace_file(state->path, state->temporary, text); error != 0) problem = std::strerror(error);
    } catch (const std::exception& error) {  // such as bad_alloc: the next state may need less memory
      problem = error.what();
    }
    if (signal != 0) is_signal_written = true;
    {
      const std::lock_guard lock(state->mutex);
      if (!problem.empty() && state->complain && !std::exchange(has_complained, true)) {
        state->complain("cannot write status file " + in_quotes(state->name) + ": " + problem + "; the run is not affected");
      }
      state->has_ended = is_last;
    }
    if (is_last) return state->ends.notify_all();
    pollfd notified{event, POLLIN, 0};
    ::poll(&notified, 1, milliseconds_between_writes);
  }
}

std::string status_file::read(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not block
  const auto fail = [&](int error) { throw std::system_error(error, std::generic_category(), "cannot read " + in_quotes(path)); };
  const auto is_missing = [](int error) { return error == ENOENT || error == ESTALE; };  // ESTALE: replaced on a server
  if (descriptor < 0) {
    if (!is_missing(errno)) fail(errno);
    return {};
  }
  std::string text;
  int error = 0;
  struct stat status {};
  const bool is_regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  while (is_regular && text.size() <= most_bytes) {
    const std::size_t end = text.size();
    constexpr std::size_t step = 64 * 1024;
    text.resize(end + step);
    const ssize_t n = ::read(descriptor, text.data() + end, step);
    error = n < 0 ? errno : 0;
    text.resize(end + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0 || (n < 0 && error != EINTR)) break;
  }
  ::close(descriptor);
  if (is_missing(error)) return {};
  if (error != 0) fail(error);
  if (!is_regular || text.size() > most_bytes) throw status_error("is not a status file of rankpool");
  return text;
}

bool status_file::may_replace(const std::string& path) {
  try {
    const std::string text = read(path);
    return text.empty() || run_status::is_status(text);
  } catch (const status_error&) {
    return false;
  }
}

}  // namespace jobs
