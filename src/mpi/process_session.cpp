#include "mpi/process_session.hpp"

#include "support/process_table.hpp"

#include <signal.h>

namespace rankpool::detail {

std::vector<pid_t> process_session::members() const {
  std::vector<pid_t> found;
  for (const process_entry& p : all_processes()) {
    if (p.session == leader_ && p.is_running()) found.push_back(p.process);
  }
  return found;
}

bool process_session::contains(pid_t process) const {
  const auto found = process > 0 ? find_process(process) : std::nullopt;
  return found && found->session == leader_ && found->is_running();
}

void process_session::send(int signal, pid_t except) const {
  for (const pid_t process : members()) {
    if (process != except) ::kill(process, signal);
  }
}

}  // namespace rankpool::detail
