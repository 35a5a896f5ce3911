// The action of SIGHUP, which a library of Open MPI may replace.
#include "mpi/open_mpi.hpp"
#include "support/catch.hpp"

#include <csignal>

namespace {

void handle(int) {}

using action = void (*)(int);

action hangup_action() {
  struct sigaction current {};
  ::sigaction(SIGHUP, nullptr, &current);
  return current.sa_handler;
}

}  // namespace

TEST_CASE("SIGHUP has its default action, unless the program or its user has chosen another") {
  rankpool::detail::restore_hangup_action();
  const action before = hangup_action();
  CHECK((before == SIG_DFL || before == SIG_IGN));  // SIG_IGN under nohup
  for (const action chosen : {handle, SIG_IGN}) {
    std::signal(SIGHUP, chosen);
    rankpool::detail::restore_hangup_action();
    CHECK((hangup_action() == chosen));
  }
  std::signal(SIGHUP, before);
}
