#include "exec/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "exec/command_guard.hpp"
#include "exec/environment.hpp"

namespace jobs {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto after_the_end = 100ms;  // for output of processes that outlive the command
constexpr auto to_tidy_up = 200ms;     // from SIGTERM to SIGKILL
constexpr auto between_looks = 20ms;   // polling interval on kernels without pidfd
constexpr auto longest_shortage = 2s;  // limit for retries if no process can be created
constexpr std::size_t pipe_bytes = 64 * 1024;

class descriptor {
 public:
  explicit descriptor(int number = -1) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() { reset(); }
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void reset() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

struct pipe_ends {
  descriptor reading;
  descriptor writing;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot capture the output of a command");
  pipe_ends made{descriptor(above_standard_streams(ends[0])), descriptor(above_standard_streams(ends[1]))};
  ::fcntl(made.reading.get(), F_SETFL, O_NONBLOCK);
  return made;
}

// The attributes of posix_spawn, which are the same for all commands, except for the two pipes.
class spawn_attributes {
 public:
  spawn_attributes() {
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);  // rank 0 ignores it
    sigaddset(&defaults, SIGCHLD);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
  }
  ~spawn_attributes() { ::posix_spawnattr_destroy(&attributes_); }
  spawn_attributes(const spawn_attributes&) = delete;
  spawn_attributes& operator=(const spawn_attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// Starts a process. Returns 0 or errno.
int start(const std::vector<std::string>& words, int out, int err, pid_t& pid) {
  static const spawn_attributes attributes;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) {
    if (word.find('\0') != std::string::npos) return EINVAL;  // the system would cut the word there
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  int failure = 0;
  for (const auto begin = clock::now();; std::this_thread::sleep_for(between_looks)) {
    failure = ::posix_spawnp(&pid, arguments.front(), &files, attributes.get(), arguments.data(), command_environment());
    if (failure != EAGAIN || clock::now() - begin > longest_shortage) break;
  }
  ::posix_spawn_file_actions_destroy(&files);
  return failure;
}

// Reads all data that is available now, up to `room` bytes. Closes the pipe at its end.
void read_available(descriptor& from, std::string& into, char* buffer, std::size_t room) {
  for (std::size_t got_in_all = 0; got_in_all < room;) {
    const ssize_t got = ::read(from.get(), buffer, pipe_bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return from.reset();
    into.append(buffer, static_cast<std::size_t>(got));
    got_in_all += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < pipe_bytes) return;  // poll() tells whether this was the end
  }
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

// A running process. Reads its output until it has ended or was terminated.
class running_process {
 public:
  running_process(pid_t pid, descriptor out, descriptor err, clock::time_point begin, double timeout_seconds)
      : pid_(pid),
        out_(std::move(out)),
        err_(std::move(err)),
        pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
        begin_(begin) {
    // A timeout of more than a century means none.
    if (timeout_seconds > 0 && timeout_seconds < 3e9) {
      end_by_ = begin_ + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(timeout_seconds));
    }
  }

  void follow(process_result& result) {
    while (!ended_ || out_.is_open() || err_.is_open()) {
      wait(result);
      const auto now = clock::now();
      if (!ended_ && (pidfd_.is_open() ? pidfd_ready_ : has_ended(pid_))) {
        ended_ = true;
        pidfd_.reset();
        result.seconds = std::chrono::duration<double>(now - begin_).count();
        act_at_ = now + after_the_end;
      }
      if (ended_) {
        if (now >= *act_at_) break;
      } else {
        end_in_time(now, result);
      }
    }
    if (asked_) ::kill(-pid_, SIGKILL);  // terminates processes that it left behind
  }

 private:
  void wait(process_result& result) {
    std::array<pollfd, 3> waiting{pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0}, pollfd{pidfd_.get(), POLLIN, 0}};
    const int ready = ::poll(waiting.data(), waiting.size(), patience());
    if (ready <= 0) return;
    static std::array<char, pipe_bytes> buffer;
    constexpr std::size_t at_once = 16 * pipe_bytes;  // then checks the time
    if (waiting[0].revents != 0) read_available(out_, result.out, buffer.data(), at_once);
    if (waiting[1].revents != 0) read_available(err_, result.err, buffer.data(), at_once);
    pidfd_ready_ = waiting[2].revents != 0;
  }

  int patience() const {
    auto until = ended_ || asked_ ? act_at_ : end_by_;
    if (!pidfd_.is_open() && !ended_) until = std::min(until.value_or(clock::time_point::max()), clock::now() + between_looks);
    if (!until) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - clock::now());
    return static_cast<int>(std::clamp<long long>(left.count(), 0, 1'000'000'000));
  }

  void end_in_time(clock::time_point now, process_result& result) {
    if (!asked_ && result.out.size() + result.err.size() > most_output_bytes) {
      result.too_much = true;
    } else if (!asked_ && end_by_ && now >= *end_by_) {
      result.timed_out = true;
    } else {
      if (!asked_ || now < *act_at_) return;
      ::kill(-pid_, SIGKILL);
      act_at_ = now + to_tidy_up;
      return;
    }
    if (result.too_much) out_.reset(), err_.reset();
    asked_ = true;
    act_at_ = now + to_tidy_up;
    ::kill(-pid_, SIGTERM);
    ::kill(-pid_, SIGCONT);  // a stopped process would not handle SIGTERM
  }

  pid_t pid_;
  descriptor out_;
  descriptor err_;
  descriptor pidfd_;
  clock::time_point begin_;
  std::optional<clock::time_point> end_by_;
  std::optional<clock::time_point> act_at_;  // if ended_: stop reading; if asked_: send SIGKILL
  bool asked_ = false;                       // SIGTERM was sent
  bool ended_ = false;
  bool pidfd_ready_ = false;
};

}  // namespace

int above_standard_streams(int descriptor) {
  if (descriptor < 0 || descriptor > STDERR_FILENO) return descriptor;
  const int higher = ::fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  ::close(descriptor);
  return higher;
}

process_result run_process(const std::vector<std::string>& words, double timeout_seconds) {
  process_result result;
  command_guard& guard = command_guard::of_this_process();
  pipe_ends out = make_pipe();
  pipe_ends err = make_pipe();
  result.start = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto begin = clock::now();
  pid_t pid = 0;
  result.not_started = start(words, out.writing.get(), err.writing.get(), pid);
  if (result.not_started != 0) return result;
  guard.watch(pid);
  out.writing.reset();
  err.writing.reset();
  running_process(pid, std::move(out.reading), std::move(err.reading), begin, timeout_seconds).follow(result);

  guard.release();
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if ((result.timed_out || result.too_much) && status == 0) result.status = 1;  // the command handled SIGTERM
  return result;
}

}  // namespace jobs
