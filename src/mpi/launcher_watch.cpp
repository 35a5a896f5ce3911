// Requests a signal for the death of the parent process, and turns it into SIGHUP.
#include "mpi/launcher_watch.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

namespace rankpool::detail {
namespace {

volatile pid_t launcher = 0;

// The kernel also sends this signal when only the launcher's thread that started this process ends.
void on_parent_death(int) {
  if (::getppid() != launcher) ::kill(::getpid(), SIGHUP);
}

}  // namespace

void terminate_with_launcher() {
  struct sigaction before {};
  ::sigaction(SIGRTMAX, nullptr, &before);
  if (before.sa_handler != SIG_DFL) return;
  launcher = ::getppid();
  struct sigaction action {};
  action.sa_handler = on_parent_death;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGRTMAX, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGRTMAX);
}

}  // namespace rankpool::detail
