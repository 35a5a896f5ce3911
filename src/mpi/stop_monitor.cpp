// The handler of stop signals, and the thread that stops the cluster on a signal or at a time.
#include "mpi/stop_monitor.hpp"

#include <rankpool/unfinished_file.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <limits>
#include <string>
#include <system_error>

namespace rankpool::detail {
namespace {

constexpr std::array stop_signals{SIGINT, SIGTERM, SIGUSR1};

std::array<struct sigaction, stop_signals.size()> previous_actions;  // restored when a later signal ends the process
volatile sig_atomic_t first_signal = 0;
std::atomic<std::int64_t> first_signal_time = 0;  // in nanoseconds; 0 before the first signal
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
volatile sig_atomic_t signal_event = -1;  // an eventfd

int make_event() {
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) throw std::system_error(errno, std::generic_category(), "cannot watch for signals: eventfd");
  return event;
}

int milliseconds(std::chrono::nanoseconds time) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, std::numeric_limits<int>::max()));
}

// Signals within this time count as one request: a launcher forwards a signal that its whole group gets, and Slurm repeats SIGTERM.
constexpr std::int64_t repeat_interval_ns = 500'000'000;

std::int64_t nanoseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void notify(int event) {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);
}

void on_signal(int signal) {
  const int error = errno;
  const std::int64_t now = nanoseconds_now();
  std::int64_t first = 0;
  if (first_signal_time.compare_exchange_strong(first, now)) {
    first_signal = signal;
    notify(signal_event);
  } else if (now - first > repeat_interval_ns) {
    for (std::size_t i = 0; i < stop_signals.size(); ++i) {
      if (stop_signals[i] == signal) ::sigaction(signal, &previous_actions[i], nullptr);
    }
    ::raise(signal);  // delivered when this handler returns
  }
  errno = error;
}

}  // namespace

void install_stop_signal_handlers(const run_options& options) {
  if (!options.stop_on_signal) return;
  remove_unfinished_files_on_signals();  // as the previous action: a run that stops in good order still needs its files
  if (signal_event < 0) signal_event = make_event();
  sigset_t all;
  ::sigemptyset(&all);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : stop_signals) {
    ::sigaddset(&all, signal);
    ::sigaddset(&action.sa_mask, signal);
  }
  for (std::size_t i = 0; i < stop_signals.size(); ++i) {
    ::sigaction(stop_signals[i], nullptr, &previous_actions[i]);
    if (previous_actions[i].sa_handler != SIG_IGN) ::sigaction(stop_signals[i], &action, nullptr);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &all, nullptr);  // the launcher may have passed on blocked signals
}

stop_monitor::stop_monitor(cluster& c, const run_options& options) {
  if (!options.stop_on_signal && !options.stop_at) return;
  end_ = make_event();
  thread_ = std::thread([this, &c, until = options.stop_at] { watch(c, until); });
}

stop_monitor::~stop_monitor() {
  if (end_ < 0) return;
  notify(end_);
  thread_.join();
  ::close(end_);
}

void stop_monitor::watch(cluster& c, std::optional<std::chrono::system_clock::time_point> until) {
  std::array<pollfd, 2> events{pollfd{end_, POLLIN, 0}, pollfd{static_cast<int>(signal_event), POLLIN, 0}};
  for (;;) {
    int wait_ms = -1;
    if (until) {
      wait_ms = std::min(milliseconds(*until - std::chrono::system_clock::now()), 60'000);  // the clock may be changed
    }
    const int ready = ::poll(events.data(), events.size(), wait_ms);
    if (ready < 0) continue;  // a signal has interrupted it, and what the events hold is not specified
    if (events[0].revents != 0) return;
    if (events[1].revents != 0) {
      const int signal = first_signal;
      // The launcher may have received another signal and passed it on as SIGUSR1, so the message names none.
      return c.stop(signal == SIGUSR1 ? "stopped early on request"
                                      : "stopped early by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")");
    }
    if (until && std::chrono::system_clock::now() >= *until) {
      return c.stop("stopped early: time limit reached");
    }
  }
}

}  // namespace rankpool::detail
