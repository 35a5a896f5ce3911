// Starts the MPI launcher in a session of its own, passes signals on, and shuts the session down.
#include "mpi/launcher_process.hpp"

#include "mpi/control_channel.hpp"
#include "mpi/left_processes.hpp"
#include "mpi/open_mpi.hpp"
#include "mpi/open_mpi_files.hpp"
#include "mpi/output_copier.hpp"
#include "mpi/process_session.hpp"
#include "mpi/signal_inbox.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto repeat_interval = 500ms;    // a repetition within this time is ignored: timeout(1) and Slurm repeat a signal
constexpr auto last_output_limit = 100ms;  // after a signal, for output whose reader may not read
constexpr auto poll_interval = 20ms;       // for processes that are not children of this one
constexpr auto start_interval = 100ms;     // for ranks that end before all are ready
constexpr auto left_interval = 500ms;      // for those that tasks have left
constexpr auto idle_time = left_process_time + 1s;  // of a launcher whose ranks have ended

// Delays are counted from SIGTERM. mpirun gets it when rank 0 has ended, because it soon kills the ranks, and rank 0 may need time
// to remove its files. mpirun is killed later than its ranks, because it removes its own files when they have ended. It must be
// killed at all because a SIGTERM during its start may block it for ever.
constexpr auto launcher_delay = 1000ms;
constexpr auto rank_kill_delay = 1800ms;
constexpr auto launcher_kill_delay = 2500ms;
constexpr auto give_up_delay = 4000ms;

class launcher_run {
 public:
  launcher_run(bool stops_on_signal, bool has_recovery, std::chrono::seconds start_limit)
      : stops_on_signal_(stops_on_signal), has_recovery_(has_recovery), start_deadline_(clock::now() + start_limit) {}

  launch_end run(char* const* arguments) {
    end_.start_error = start(arguments);
    out_.close_input();
    err_.close_input();
    if (end_.start_error != 0) return end_;
    while (!advance()) {
      wait();
      while (const int signal = signals_.next()) on_signal(signal);
    }
    finish();
    return end_;
  }

 private:
  /// Starts the launcher in a new session, as posix_spawnp would. The launcher is terminated when this process dies, also by
  /// SIGKILL. Returns 0 or an errno value.
  int start(char* const* arguments) {
    std::array<int, 2> failed{};
    if (::pipe2(failed.data(), O_CLOEXEC) != 0) return errno;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // a signal that arrives before exec must not run our handler in the child
    const pid_t parent = ::getpid();
    launcher_ = ::fork();
    int reason = launcher_ < 0 ? errno : 0;
    if (launcher_ == 0) {  // only system calls are safe: another thread may have held any lock during fork
      ::setsid();
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (::getppid() != parent) ::_exit(1);  // the parent has died already
      if (rank_0_.is_offered()) {             // otherwise the launcher must pass stdin on
        if (const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC); nothing >= 0) ::dup2(nothing, STDIN_FILENO);
      }
      ::dup2(out_.input(), STDOUT_FILENO);
      ::dup2(err_.input(), STDERR_FILENO);
      signal_inbox::reset_actions();
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      ::execvp(arguments[0], arguments);
      reason = errno;
      (void)!::write(failed[1], &reason, sizeof reason);
      ::_exit(127);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(failed[1]);
    if (launcher_ > 0 && receives(failed[0], reason)) {
      while (::waitpid(launcher_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    ::close(failed[0]);
    return reason;
  }

  /// Blocks: until the number is there, or the other end is closed.
  static bool receives(int descriptor, int& number) {
    ssize_t got = 0;
    do {
      got = ::read(descriptor, &number, sizeof number);
    } while (got < 0 && errno == EINTR);
    return got == sizeof number;
  }

  void wait() {
    std::array<pollfd, 2> events{pollfd{signals_.descriptor(), POLLIN, 0}, pollfd{rank_0_.descriptor(), POLLIN, 0}};
    const auto interval = is_shutting_down()    ? poll_interval
                          : rank_0_.has_ended() ? left_interval
                          : is_watching_start() ? start_interval
                                                : -1ms;
    const int limit = static_cast<int>(interval.count());
    if (::poll(events.data(), events.size(), limit) > 0 && events[1].revents != 0) rank_0_.on_readable(!is_shutting_down());
  }

  static bool is_stop_signal(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGUSR1; }

  void on_signal(int signal) {
    if (stops_on_signal_ && is_stop_signal(signal)) return on_stop_request(signal);
    switch (signal) {
      case SIGTSTP:
        session().send(SIGSTOP);
        ::raise(SIGSTOP);
        [[fallthrough]];
      case SIGCONT: return session().send(SIGCONT);
      case SIGUSR1:
      case SIGUSR2: ::kill(launcher_, signal); return;  // to all ranks
      case SIGINT:
      case SIGTERM:
      case SIGHUP:
      case SIGQUIT:
      case SIGPIPE: return shut_down(signal);
      default: return;  // SIGCHLD: advance() checks the launcher
    }
  }

  void on_stop_request(int signal) {
    if (is_shutting_down()) return;
    const auto now = clock::now();
    if (end_.stop_signal == 0) {
      end_.stop_signal = signal;
      stop_time_ = now;
      signals_.ignore_repetitions(now + repeat_interval);
      if (!rank_0_.has_begun()) return begin_shutdown();
      if (rank_0_.process() != 0) {
        ::kill(rank_0_.process(), signal);
      } else {
        ::kill(launcher_, SIGUSR1);  // to all ranks; the others ignore it
      }
    } else if (now - stop_time_ > repeat_interval) {
      shut_down(signal);
    }
  }

  void shut_down(int signal) {
    if (is_shutting_down()) return;
    end_.signal = signal;
    begin_shutdown();
  }

  void begin_shutdown() {
    shutdown_start_ = clock::now();
    if (!launcher_has_ended() && !rank_0_.has_begun()) err_.discard();  // mpirun prints errors then
    for (const int signal : termination()) session().send(signal, launcher_);
  }

  /// The signals that ask a process to terminate. If rank 0 handles stop signals, it would take SIGTERM for a request to stop
  /// early.
  std::array<int, 2> termination() const { return {stops_on_signal_ ? SIGHUP : SIGTERM, SIGCONT}; }

  /// Asks the launcher to terminate. Called once: a second signal would make mpirun exit without its ranks.
  void terminate_launcher() const {
    for (const int signal : termination()) ::kill(launcher_, signal);
  }

  /// Returns the launcher's state. WNOWAIT leaves a launcher that has ended as a zombie, because its pid identifies the session.
  siginfo_t launcher_state() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(launcher_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info;
  }
  bool launcher_has_ended() const { return launcher_state().si_pid == launcher_; }
  bool launcher_exited() const { return launcher_state().si_code == CLD_EXITED; }

  bool is_shutting_down() const { return shutdown_start_ != clock::time_point(); }

  /// Advances the shutdown and returns whether the launch has finished.
  bool advance() {
    const bool launcher_ended = launcher_has_ended();
    if (!is_shutting_down()) {
      if (!launcher_ended) {
        if (rank_0_.has_ended()) end_left_processes();
        if (rank_0_.has_remote_loss() && rank_0_.has_ended()) end_idle_launcher();
        if (is_watching_start()) watch_start();
        return false;
      }
      while (is_readable(rank_0_.descriptor())) rank_0_.on_readable(false);
      end_.had_orphaned_ranks = session().contains(rank_0_.process());
      if (launcher_exited() && !end_.had_orphaned_ranks) return true;
      begin_shutdown();
    }
    const auto time = clock::now() - shutdown_start_;
    if (!is_launcher_told_ && (time > launcher_delay || !session().contains(rank_0_.process()))) {
      is_launcher_told_ = true;
      terminate_launcher();
    }
    if (launcher_ended || time > give_up_delay) {
      end_.survivors = session().members();
      if (end_.survivors.empty() || time > give_up_delay) return true;
    }
    if (time > launcher_kill_delay) {
      end_.launcher_was_killed = end_.launcher_was_killed || !launcher_ended;
      session().send(SIGKILL);
    } else if (time > rank_kill_delay) {
      session().send(SIGKILL, launcher_);
    } else if (launcher_ended && !std::exchange(is_termination_resent_, true)) {
      for (const int signal : termination()) session().send(signal);  // to processes that the launcher started in the meantime
    }
    return false;
  }

  bool is_watching_start() const {
    return has_recovery_ && rank_0_.is_offered() && !rank_0_.are_ranks_ready() && !rank_0_.has_ended() && !is_shutting_down();
  }

  /// Ends the launch if a rank of this node has ended before all ranks are ready, or they are not ready in time. The launcher
  /// starts all ranks before one ends.
  void watch_start() {
    const std::size_t now = number_of_children(launcher_).value_or(children_);
    const bool rank_ended = now < std::exchange(children_, now);
    const bool is_late = clock::now() > start_deadline_;
    if (!rank_ended && !is_late) return;
    while (is_readable(rank_0_.descriptor())) rank_0_.on_readable(true);  // that all are ready may not be read yet
    if (rank_0_.are_ranks_ready()) return;
    (rank_ended ? end_.failed_at_start : end_.exceeded_start_limit) = true;
    begin_shutdown();
  }

  /// Ends the processes that keep the launcher waiting, left_process_time after all ranks have ended. The launcher's children are
  /// the ranks of this node and its connections to other nodes.
  void end_left_processes() {
    const auto now = clock::now();
    if (ranks_end_ == clock::time_point() || number_of_children(launcher_) != 0) ranks_end_ = now;
    if (now - ranks_end_ < left_process_time) return;
    ranks_end_ = now;
    for (const pid_t process : holders_of_output(launcher_)) {
      end_.left.push_back(process_name(process));
      ::kill(process, SIGKILL);
    }
  }

  /// If ranks of other nodes were lost, mpirun of Open MPI 4.1 waits for them for ever. All other ranks end at most
  /// left_process_time after rank 0. Ends a launcher that has copied no output for longer than that.
  void end_idle_launcher() {
    const auto now = clock::now();
    const std::uint64_t copied = out_.copied_bytes() + err_.copied_bytes();
    const bool is_busy = copied != std::exchange(copied_bytes_, copied) || !out_.is_empty() || !err_.is_empty();
    if (idle_since_ == clock::time_point() || is_busy || session().contains(rank_0_.process())) idle_since_ = now;
    if (now - idle_since_ < idle_time || is_shutting_down()) return;
    end_.launcher_was_idle = true;
    begin_shutdown();
  }

  static bool is_readable(int descriptor) {
    pollfd event{descriptor, POLLIN, 0};
    return ::poll(&event, 1, 0) > 0;
  }

  void finish() {
    for (output_copier* copier : {&out_, &err_}) {
      copier->finish();
      for (;;) {
        std::array<pollfd, 2> events{pollfd{signals_.descriptor(), POLLIN, 0}, pollfd{copier->finished(), POLLIN, 0}};
        const int limit = end_.signal == 0 ? -1 : static_cast<int>(last_output_limit.count());
        const int ready = ::poll(events.data(), events.size(), limit);
        while (const int signal = signals_.next()) on_signal(signal);
        if (ready == 0 || (ready > 0 && events[1].revents != 0)) break;
      }
    }
    end_.output_error = out_.error() != 0 ? out_.error() : err_.error();
    end_.was_silent = out_.copied_bytes() + err_.copied_bytes() == 0;
    end_.has_begun = rank_0_.has_begun();
    end_.program_status = rank_0_.status();
    end_.rank_0_signal = rank_0_.signal();
    // Open MPI 5 also leaves files when it cannot start, for example without a network interface.
    const bool succeeded = launcher_exited() && launcher_state().si_status == 0 && !has_recovery_;
    if (!succeeded && end_.survivors.empty()) remove_open_mpi_files(launcher_);
    ::waitpid(launcher_, &end_.wait_status, WNOHANG);
  }

  process_session session() const { return process_session(launcher_); }

  const bool stops_on_signal_;
  const bool has_recovery_;
  const clock::time_point start_deadline_;
  signal_inbox signals_;
  rank_0_control rank_0_;
  output_copier out_{STDOUT_FILENO};
  output_copier err_{STDERR_FILENO, true};
  pid_t launcher_ = 0;
  clock::time_point stop_time_;
  clock::time_point ranks_end_;       // not set while rank 0 runs
  clock::time_point idle_since_;      // likewise
  std::uint64_t copied_bytes_ = 0;    // when the launcher was looked at last
  clock::time_point shutdown_start_;  // not set while the launch runs
  std::size_t children_ = 0;          // of the launcher, while the start is watched
  bool is_launcher_told_ = false;     // that it must terminate
  bool is_termination_resent_ = false;
  launch_end end_;
};

}  // namespace

launch_end run_launcher(char* const* arguments, bool stops_on_signal, bool has_recovery, std::chrono::seconds start_limit) {
  return launcher_run(stops_on_signal, has_recovery, start_limit).run(arguments);
}

}  // namespace rankpool::detail
