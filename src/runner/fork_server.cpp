// Defines the fork server and the supervisor. Both are forked without exec, so they must not return into the program and end by
// _exit().
#include "runner/fork_server.hpp"

#include "codec/runner_errors.hpp"
#include "codec/throw_trace.hpp"
#include "runner/growing_memory.hpp"
#include "runner/runner_control.hpp"
#include "runner/runner_process.hpp"

#include "support/log.hpp"
#include "support/process_memory.hpp"

#include <rankpool/errors.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace rankpool::detail {
namespace {

struct start_message {
  std::int32_t control_descriptor = -1;
  std::uint32_t instance = 0;
  std::uint64_t probe = 0;  // the address of probe_value in the rank
};

constexpr std::uint64_t probe_value = 0x72616E6B706F6F6C;

constexpr int longest_start = 60'000;  // milliseconds
constexpr int longest_end = 2'000;     // milliseconds

std::atomic<fork_server*> current_server = nullptr;

// Forks a process whose end is not signaled and which wait() and waitpid(-1) do not find, because a program may wait for all of its
// own children. The child must fork again before it uses threads: the C library has the thread number of the parent.
pid_t fork_unnoticed() {
  const auto threads = std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  if (threads > 1) return fork();  // only the C library knows what to do then; wait() finds this child
  return static_cast<pid_t>(syscall(SYS_clone, 0, nullptr, nullptr, nullptr, 0));
}

int poll_events(pollfd* descriptors, nfds_t count, int milliseconds) {
  for (;;) {
    const int ready = poll(descriptors, count, milliseconds);
    if (ready >= 0 || errno != EINTR) return ready;
  }
}

void sleep_millisecond() {
  const timespec time{0, 1'000'000};
  nanosleep(&time, nullptr);
}

// ---- signals

// Signals that are meant for the rank reach its process group, or all processes of a terminal. The server and the supervisors
// ignore them, because they must outlive a rank that ends in an orderly way. Runners get the original actions back.
constexpr std::array ignored_signals{SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM, SIGTERM,
                                     SIGUSR1, SIGUSR2, SIGTSTP, SIGTTOU, SIGTTIN};

class original_signals {
 public:
  void ignore() {
    for (std::size_t i = 0; i < ignored_signals.size(); ++i) {
      struct sigaction ignoring {};
      ignoring.sa_handler = SIG_IGN;
      sigaction(ignored_signals[i], &ignoring, &actions_[i]);
    }
    struct sigaction defaults {};
    defaults.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &defaults, &child_action_);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &mask_);
  }
  void restore() const {
    for (std::size_t i = 0; i < ignored_signals.size(); ++i) sigaction(ignored_signals[i], &actions_[i], nullptr);
    sigaction(SIGCHLD, &child_action_, nullptr);
    sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  std::array<struct sigaction, ignored_signals.size()> actions_{};
  struct sigaction child_action_ {};
  sigset_t mask_{};
};

original_signals signals;

int child_signals() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Kills this process when its parent dies. `parent`: the expected one, which may have died already.
void die_with(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
}

// ---- the supervisor

void declare_dead(runner_control& control, std::uint32_t instance, int wait_status, int start_error) {
  if (control.instance != instance || control.stage == runner_stage::dead) return;
  control.pid.store(0);  // the kernel may reuse the number from here on
  control.wait_status = wait_status;
  control.start_error = start_error;
  control.stage.store(runner_stage::dead);
  control.notify_rank();
}

// Copies what the runner has written to stderr. Returns false at its end.
bool copy_output(int from, runner_control& control) {
  std::array<char, 4096> text;
  const ssize_t n = read(from, text.data(), text.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  for (ssize_t written = 0; written < n;) {
    const ssize_t w = write(STDERR_FILENO, text.data() + written, static_cast<std::size_t>(n - written));
    if (w < 0 && errno != EINTR) break;  // nobody reads it any more
    if (w > 0) written += w;
  }
  control.add_to_tail({text.data(), static_cast<std::size_t>(n)});
  return true;
}

// Copies what is left of the output, without waiting for more.
void drain_output(int from, runner_control& control) {
  for (;;) {
    pollfd readable{from, POLLIN, 0};
    if (poll_events(&readable, 1, 0) <= 0 || !copy_output(from, control)) return;
  }
}

// Kills the processes that a runner has started and left: they are children of this process now. `is_known`: children that are not
// such processes.
template <class Known>
void kill_orphans(Known is_known) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::ifstream children("/proc/thread-self/children");
    bool is_any_left = false;
    for (pid_t child = 0; children >> child;) {
      if (is_known(child)) continue;
      kill(child, SIGKILL);
      is_any_left = waitpid(child, nullptr, WNOHANG) == 0 || is_any_left;
    }
    if (!is_any_left) return;
    sleep_millisecond();
  }
}

// Reaps the children that have ended. Returns whether the runner is one of them, and its status. The others are orphans of tasks.
bool reap(runner_control& control, pid_t runner, int& status) {
  for (;;) {
    siginfo_t ended{};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return false;
    const bool is_runner = ended.si_pid == runner;
    if (is_runner) control.pid.store(0);  // before the number is free
    rusage used{};
    int ended_status = 0;
    if (wait4(ended.si_pid, &ended_status, 0, &used) != ended.si_pid || !is_runner) continue;
    const auto nanoseconds = [](const timeval& t) {
      return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_usec) * 1000;
    };
    control.cpu_nanoseconds.store(nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime));
    status = ended_status;
    return true;
  }
}

[[noreturn]] void supervise(runner_control& control, std::uint32_t instance, pid_t server) {
  die_with(server);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::array<int, 2> output{-1, -1};
  if (pipe2(output.data(), O_CLOEXEC) != 0) {
    declare_dead(control, instance, 0, errno);
    _exit(0);
  }
  const pid_t self = getpid();
  const pid_t runner = fork();
  if (runner == 0) {
    control.pid.store(getpid());  // before any task runs
    die_with(self);
    setpgid(0, 0);
    dup2(output[1], STDERR_FILENO);
    // A process in the background must not read from a terminal.
    if (const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC); nothing >= 0) {
      dup2(nothing, STDIN_FILENO);
      if (nothing != STDIN_FILENO) close(nothing);
    }
    close(output[0]);
    close(output[1]);
    signals.restore();
    run_calls(control);
  }
  if (runner < 0) {
    declare_dead(control, instance, 0, errno);
    _exit(0);
  }
  setpgid(runner, runner);  // the runner does it as well: whichever is first
  close(output[1]);

  const int exits = child_signals();
  bool is_open = true;
  int status = 0;
  while (!reap(control, runner, status)) {
    std::array<pollfd, 2> waiting{{{exits, POLLIN, 0}, {output[0], POLLIN, 0}}};
    poll_events(waiting.data(), is_open ? 2 : 1, 1000);
    signalfd_siginfo ignored{};
    while (read(exits, &ignored, sizeof ignored) > 0) {
    }
    if (is_open && waiting[1].revents != 0) is_open = copy_output(output[0], control);
  }
  kill(-runner, SIGKILL);  // the other processes of its group
  drain_output(output[0], control);
  kill_orphans([](pid_t) { return false; });
  declare_dead(control, instance, status, 0);
  _exit(0);
}

// ---- the server

// Returns what the kernel has told a program at its start. It contains random numbers and addresses, is the same in a process and
// its forked children, and is empty for a process that is ending.
std::string start_information(const std::string& process) {
  std::ifstream file("/proc/" + process + "/auxv", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Returns whether the process runs the program that has forked this process: it has neither called exec() nor begun to end.
bool runs_this_program(pid_t process) {
  const std::string own = start_information("self");
  return !own.empty() && own == start_information(std::to_string(process));
}

struct supervised {
  std::unique_ptr<growing_memory> memory;
  std::uint32_t instance = 0;
  runner_control& control() const { return *reinterpret_cast<runner_control*>(memory->data()); }
};

class server {
 public:
  server(int socket, pid_t rank, std::string name) : socket_(socket), rank_(rank), name_(std::move(name)) {}

  [[noreturn]] void serve() {
    for (;;) {
      // The rank's end of the socket may be open in a process that a task has forked, so the rank itself is watched as well.
      std::array<pollfd, 3> waiting{{{socket_, POLLIN, 0}, {exits_, POLLIN, 0}, {rank_ends_, POLLIN, 0}}};
      poll_events(waiting.data(), waiting.size(), rank_ends_ >= 0 ? -1 : 1000);
      if (waiting[2].revents != 0 || getppid() != rank_) end();
      if (waiting[1].revents != 0) {
        signalfd_siginfo ignored{};
        while (read(exits_, &ignored, sizeof ignored) > 0) {
        }
        reap_supervisors();
      }
      if (waiting[0].revents == 0) continue;
      start_message message;
      const ssize_t n = recv(socket_, &message, sizeof message, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n != sizeof message) {  // the rank has ended, or needs no server any more, or has closed its end of the socket
        if ((waiting[0].revents & POLLHUP) != 0) on_closed_socket();
        end();
      }
      start(message);
      std::uint64_t read = 0;
      (void)read_memory(rank_, message.probe, std::as_writable_bytes(std::span(&read, 1)));
      const char readable = read == probe_value ? 1 : 0;
      if (send(socket_, &readable, 1, MSG_NOSIGNAL) != 1) end();
    }
  }

 private:
  // An orderly end shuts the socket down before it closes it.
  void on_closed_socket() const {
    if (name_.empty() || !runs_this_program(rank_) || getppid() != rank_) return;
    log_line(closed_descriptors_message(name_) + ", or run with isolation::process");
    kill(rank_, SIGKILL);
  }

  void start(const start_message& message) {
    supervised next;
    try {
      next.memory = std::make_unique<growing_memory>(rank_, message.control_descriptor);
    } catch (...) {
      return;  // the rank is ending, or finds the runner not started
    }
    next.instance = message.instance;
    if (message.instance == 2) prepare_throw_traces();  // from now on, tasks may need new processes often
    runner_control& control = next.control();
    control.stage.store(runner_stage::alive);
    const pid_t self = getpid();
    const pid_t child = fork();
    if (child == 0) {
      close(socket_);
      close(exits_);
      if (rank_ends_ >= 0) close(rank_ends_);
      supervise(control, message.instance, self);
    }
    if (child < 0) {
      declare_dead(control, message.instance, 0, errno);
    } else {
      children_[child] = std::move(next);
    }
  }

  // Kills a runner and its process group. Returns false if it was declared dead.
  static bool kill_runner(const supervised& which) {
    const runner_control& control = which.control();
    if (control.instance != which.instance || control.stage != runner_stage::alive) return false;
    const pid_t runner = control.pid;
    if (runner > 0) kill(-runner, SIGKILL);
    return true;
  }

  // A supervisor declares its runner dead, unless the supervisor was killed; the runner has died with it then.
  void reap_supervisors() {
    for (;;) {
      int status = 0;
      const pid_t child = waitpid(-1, &status, WNOHANG);
      if (child <= 0) return;
      const auto found = children_.find(child);
      if (found == children_.end()) continue;
      if (kill_runner(found->second)) {
        if (WIFSIGNALED(status)) found->second.control().supervisor_signal = WTERMSIG(status);
        kill_orphans([this](pid_t other) { return children_.contains(other); });
      }
      declare_dead(found->second.control(), found->second.instance, SIGKILL, 0);
      children_.erase(found);
    }
  }

  [[noreturn]] void end() {
    for (const auto& [child, entry] : children_) (void)kill_runner(entry);
    // The supervisors kill what the runners have left, and end by themselves.
    for (int attempt = 0; attempt < 1500 && !children_.empty(); ++attempt) {
      reap_supervisors();
      if (!children_.empty()) sleep_millisecond();
    }
    for (const auto& [child, entry] : children_) kill(child, SIGKILL);
    kill_orphans([](pid_t) { return false; });
    _exit(0);
  }

  const int socket_;
  const pid_t rank_;
  const std::string name_;  // of the rank; empty: it is not terminated
  const int exits_ = child_signals();
  const int rank_ends_ = static_cast<int>(syscall(SYS_pidfd_open, rank_, 0));  // -1: an old kernel
  std::map<pid_t, supervised> children_;
};

}  // namespace

fork_server::fork_server(bool here, const std::string& rank) {
  current_server = this;
  if (!here) return;
  std::array<int, 2> ends{-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
  std::fflush(nullptr);  // otherwise the copies of the process would write the buffered output again
  std::cout.flush();
  std::clog.flush();
  const pid_t self = getpid();
  const pid_t child = fork_unnoticed();
  if (child == 0) {
    close(ends[0]);
    setpgid(0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signals.ignore();
    server(ends[1], self, rank).serve();
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return;
  }
  socket_ = ends[0];
  owner_ = self;
  server_ = child;
}

fork_server::~fork_server() {
  current_server = nullptr;
  if (!is_here()) return;
  shutdown(socket_, SHUT_WR);
  pollfd ended{socket_, POLLIN, 0};
  char ignored = 0;
  while (poll_events(&ended, 1, longest_end) > 0 && recv(socket_, &ignored, 1, 0) > 0) {
  }
  if (ended.revents == 0) kill(server_, SIGKILL);
  while (waitpid(server_, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  close(socket_);
}

fork_server* fork_server::current() { return current_server; }

bool fork_server::is_here() const { return socket_ >= 0 && owner_ == getpid(); }

bool fork_server::is_alive() const {
  char ignored = 0;
  return is_here() && recv(socket_, &ignored, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

void fork_server::start_runner(int control_descriptor, std::uint32_t instance) {
  const std::string what = "a runner process cannot be started: ";
  if (!is_here()) throw error(what + "this process has no fork server");
  const std::lock_guard lock(starting_);
  const std::uint64_t probe = probe_value;
  const start_message message{control_descriptor, instance, reinterpret_cast<std::uint64_t>(&probe)};
  const bool is_sent = send(socket_, &message, sizeof message, MSG_NOSIGNAL) == sizeof message;
  pollfd answer{socket_, POLLIN, 0};
  if (is_sent && poll_events(&answer, 1, longest_start) == 0) throw error(what + "the fork server of this rank does not answer");
  char readable = 0;
  if (!is_sent || recv(socket_, &readable, 1, 0) != 1) throw error(what + "the fork server of this rank has ended");
  may_read_ = readable == 1;
}

}  // namespace rankpool::detail
