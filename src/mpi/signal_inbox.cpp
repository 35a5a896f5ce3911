// A signal handler that writes signal numbers to a pipe.
#include "mpi/signal_inbox.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <system_error>

namespace rankpool::detail {
namespace {

volatile sig_atomic_t write_end = -1;  // the descriptor that put_into_inbox() writes to

void put_into_inbox(int signal) {
  const int error = errno;
  const auto byte = static_cast<unsigned char>(signal);
  (void)!::write(write_end, &byte, 1);
  errno = error;
}

// ---- repetitions, after the inbox has been destroyed

std::atomic<std::int64_t> repetitions_end = 0;  // in nanoseconds of CLOCK_MONOTONIC, which is the steady clock
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
struct sigaction action_of_int {};  // the signal actions to install when repeated signals are no longer ignored
struct sigaction action_of_term {};
struct sigaction action_of_usr1 {};

struct sigaction* later_action(int signal) {
  switch (signal) {
    case SIGINT: return &action_of_int;
    case SIGTERM: return &action_of_term;
    case SIGUSR1: return &action_of_usr1;
    default: return nullptr;
  }
}

bool is_repetition() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec < repetitions_end;
}

void on_late_signal(int signal) {
  const int error = errno;
  if (!is_repetition()) {
    ::sigaction(signal, later_action(signal), nullptr);
    ::raise(signal);  // delivered when this handler returns
  }
  errno = error;
}

}  // namespace

signal_inbox::signal_inbox() {
  if (::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot wait for signals: pipe");
  }
  write_end = ends_[1];
  struct sigaction action {};
  action.sa_handler = put_into_inbox;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    ::sigaction(signals[i], nullptr, &previous_actions_[i]);
    if (previous_actions_[i].sa_handler != SIG_IGN || signals[i] == SIGCHLD) ::sigaction(signals[i], &action, nullptr);
  }
}

signal_inbox::~signal_inbox() {
  struct sigaction late {};
  late.sa_handler = on_late_signal;
  late.sa_flags = SA_RESTART;
  ::sigemptyset(&late.sa_mask);
  for (std::size_t i = 0; i < signals.size(); ++i) {
    struct sigaction* const later = later_action(signals[i]);
    const bool is_delayed = later != nullptr && is_repetition() && previous_actions_[i].sa_handler != SIG_IGN;
    if (is_delayed && previous_actions_[i].sa_handler != on_late_signal) *later = previous_actions_[i];
    ::sigaction(signals[i], is_delayed ? &late : &previous_actions_[i], nullptr);
  }
  write_end = -1;
  for (const int end : ends_) ::close(end);
}

int signal_inbox::next() {
  unsigned char signal = 0;
  return ::read(ends_[0], &signal, 1) == 1 ? signal : 0;
}

void signal_inbox::ignore_repetitions(std::chrono::steady_clock::time_point end) {
  repetitions_end = std::chrono::nanoseconds(end.time_since_epoch()).count();
}

void signal_inbox::reset_actions() {
  for (const int signal : signals) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler == put_into_inbox) ::signal(signal, SIG_DFL);
  }
}

}  // namespace rankpool::detail
