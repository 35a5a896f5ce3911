#include "stop_watch.hpp"

#include "../core/pool.hpp"

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

std::array<struct sigaction, stop_signals.size()> before;  // whoever takes signals knows what to do at an end
volatile sig_atomic_t first_signal = 0;
std::atomic<std::int64_t> first_time = 0;  // of it, in nanoseconds; 0: there was none
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
volatile sig_atomic_t news = -1;  // an eventfd

int make_event() {
  const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) throw std::system_error(errno, std::generic_category(), "cannot watch for signals: eventfd");
  return event;
}

int milliseconds(std::chrono::nanoseconds time) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(time).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, std::numeric_limits<int>::max()));
}

// A launcher passes on what its whole group gets, from node to node, and Slurm repeats a SIGTERM: all that is one wish.
constexpr std::int64_t as_one = 500'000'000;

std::int64_t nanoseconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void tell(int event) {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);
}

void on_signal(int signal) {
  const int error = errno;
  const std::int64_t now = nanoseconds_now();
  std::int64_t first = 0;
  if (first_time.compare_exchange_strong(first, now)) {
    first_signal = signal;
    tell(news);
  } else if (now - first > as_one) {
    for (std::size_t i = 0; i < stop_signals.size(); ++i) {
      if (stop_signals[i] == signal) ::sigaction(signal, &before[i], nullptr);
    }
    ::raise(signal);  // is delivered when this returns
  }
  errno = error;
}

}  // namespace

void take_stop_signals(const run_options& options) {
  if (!options.stop_on_signal) return;
  if (news < 0) news = make_event();
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
    ::sigaction(stop_signals[i], nullptr, &before[i]);
    if (before[i].sa_handler != SIG_IGN) ::sigaction(stop_signals[i], &action, nullptr);  // such as nohup's
  }
  ::pthread_sigmask(SIG_UNBLOCK, &all, nullptr);  // the launcher may have been started with them blocked
}

stop_watch::stop_watch(cluster& c, const run_options& options) : grace_(options.grace) {
  if (!options.stop_on_signal && !options.stop_at) return;
  end_ = make_event();
  thread_ = std::thread([this, &c, until = options.stop_at] { watch(c, until); });
}

stop_watch::~stop_watch() {
  if (end_ < 0) return;
  tell(end_);
  thread_.join();
  ::close(end_);
}

void stop_watch::watch(cluster& c, std::optional<std::chrono::system_clock::time_point> until) {
  std::array<pollfd, 2> events{pollfd{end_, POLLIN, 0}, pollfd{static_cast<int>(news), POLLIN, 0}};
  const auto stop = [&](const std::string& why) {
    c.stop(why);
    // The program may wait for what runs, and not return.
    if (::poll(events.data(), 1, milliseconds(grace_)) == 0) cluster_access::get(c)->give_up();
  };
  for (;;) {
    int wait_ms = -1;
    if (until) {
      wait_ms = std::min(milliseconds(*until - std::chrono::system_clock::now()), 60'000);  // the clock may be set
    }
    const int ready = ::poll(events.data(), events.size(), wait_ms);
    if (events[0].revents != 0) return;
    if (ready > 0 && events[1].revents != 0) {
      const int signal = first_signal;
      // What started the ranks may have turned another signal into this one.
      return stop(signal == SIGUSR1 ? "stopped early, as it was told to"
                                    : "stopped early by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")");
    }
    if (until && std::chrono::system_clock::now() >= *until) {
      return stop("stopped early, because its time was up");
    }
  }
}

}  // namespace rankpool::detail
