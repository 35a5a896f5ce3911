// Defines termination and termination_note: the signal handlers that leave the note.
#include "mpi/termination.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

namespace rankpool::detail {
namespace {

constexpr std::uint32_t by_signal = 1 << 16;
constexpr std::uint32_t by_exit = 2 << 16;

constexpr std::array ending_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE,  SIGABRT, SIGSYS, SIGTRAP,
                                    SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGXCPU, SIGPIPE};

std::atomic<std::atomic<std::uint32_t>*> place_of_note = nullptr;
std::atomic<void (*)(const termination&)> teller = nullptr;
pid_t owner = 0;  // a process that a task forks has the handlers as well, and leaves no note
std::array<struct sigaction, NSIG> earlier_actions{};
std::array<char, 32 * 1024> stack_of_handler;  // after an overflow of the main thread's stack

void write_note(const termination& end) {
  if (::getpid() != owner) return;
  if (auto* const place = place_of_note.load()) place->store(end.encoded());
  if (auto* const tell = teller.load()) tell(end);
}

// Returns whether nobody reads the stdout or stderr of this process any more. If so, SIGPIPE ends the process, as any program. Else
// the signal comes from a connection, such as that of MPI to a lost rank, and the writer gets EPIPE.
bool is_output_broken() {
  std::array outputs{pollfd{STDOUT_FILENO, POLLOUT, 0}, pollfd{STDERR_FILENO, POLLOUT, 0}};
  if (::poll(outputs.data(), outputs.size(), 0) <= 0) return false;
  return ((outputs[0].revents | outputs[1].revents) & POLLERR) != 0;
}

// The earlier action takes a siginfo_t.
void pass_on_with_info(int signal, siginfo_t* info, void* context) {
  write_note({.signal = signal, .is_known = true});
  earlier_actions[static_cast<std::size_t>(signal)].sa_sigaction(signal, info, context);
}

void pass_on(int signal) {
  if (signal == SIGPIPE && !is_output_broken()) return;
  write_note({.signal = signal, .is_known = true});
  const auto earlier = earlier_actions[static_cast<std::size_t>(signal)].sa_handler;
  if (earlier != SIG_DFL) return earlier(signal);
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // takes effect when this handler returns
}

void handle_signals() {
  owner = ::getpid();
  const stack_t stack{.ss_sp = stack_of_handler.data(), .ss_flags = 0, .ss_size = stack_of_handler.size()};
  stack_t before{};
  if (::sigaltstack(nullptr, &before) == 0 && (before.ss_flags & SS_DISABLE) != 0) ::sigaltstack(&stack, nullptr);
  for (const int signal : ending_signals) {
    struct sigaction& earlier = earlier_actions[static_cast<std::size_t>(signal)];
    ::sigaction(signal, nullptr, &earlier);
    const bool takes_info = (earlier.sa_flags & SA_SIGINFO) != 0;
    if (!takes_info && earlier.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    if (takes_info) {
      action.sa_sigaction = pass_on_with_info;
    } else {
      action.sa_handler = pass_on;
    }
    action.sa_flags = SA_ONSTACK | (earlier.sa_flags & (SA_SIGINFO | SA_RESTART));
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
  }
}

// Restores the actions, except where the program has replaced the handler.
void restore_signals() {
  for (const int signal : ending_signals) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    const bool is_own = (now.sa_flags & SA_SIGINFO) != 0 ? now.sa_sigaction == pass_on_with_info : now.sa_handler == pass_on;
    if (!is_own) continue;
    ::sigaction(signal, &earlier_actions[static_cast<std::size_t>(signal)], nullptr);
  }
}

}  // namespace

std::string termination::description() const {
  if (!is_known) return "has ended, by SIGKILL, for example because memory ran out, or by _exit() or exec()";
  if (signal == 0) return "exited with status " + std::to_string(exit_status);
  return "was ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

std::uint32_t termination::encoded() const {
  if (!is_known) return 0;
  return signal != 0 ? by_signal | static_cast<std::uint32_t>(signal) : by_exit | static_cast<std::uint32_t>(exit_status & 0xff);
}

termination termination::decoded(std::uint32_t word) {
  const int value = static_cast<int>(word & 0xffff);
  if ((word & by_signal) != 0) return {.signal = value, .is_known = true};
  if ((word & by_exit) != 0) return {.exit_status = value, .is_known = true};
  return {};
}

termination_note::termination_note(std::atomic<std::uint32_t>& place) {
  place_of_note = &place;
  handle_signals();
}

termination_note::termination_note(void (*tell)(const termination& end)) {
  teller = tell;
  handle_signals();
}

termination_note::~termination_note() {
  restore_signals();
  place_of_note = nullptr;
  teller = nullptr;
}

void termination_note::leave(const termination& end) { write_note(end); }

}  // namespace rankpool::detail
