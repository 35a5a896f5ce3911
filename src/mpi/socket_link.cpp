#include "mpi/socket_link.hpp"

#include "mpi/connections.hpp"
#include "mpi/termination.hpp"

#include "support/process_table.hpp"
#include "transport/socket_transport.hpp"

#include <rankpool/errors.hpp>

#include <signal.h>

#include <algorithm>
#include <string>
#include <utility>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto time_until_gone = 100ms;  // from the closing of a process's sockets to its end
constexpr std::chrono::nanoseconds longest_heartbeat_interval = 5s;

// On the root. Of a worker of its own node, it knows how the process has ended, and what it was running.
lost_peer describe_loss(int peer, const std::string& why, const doorbells& bells, const socket_link_options& options) {
  const int rank = peer < options.root ? peer : peer + 1;
  const auto r = static_cast<std::size_t>(rank);
  if (options.nodes[r] != 0 || !bells.is_on_node(rank)) {
    if (options.on_remote_loss) options.on_remote_loss();
    return {.peer = peer, .cause = "has ended, or its network or node has failed (" + why + ")"};
  }
  if (!ends_within(options.processes[r], time_until_gone)) {
    ::kill(options.processes[r], SIGKILL);  // so that it cannot come back
    return {.peer = peer, .signal = SIGKILL, .cause = "lost its connection to rank 0 (" + why + "), and was killed"};
  }
  const doorbells::notes& notes = bells.notes_of(rank);
  const termination end = termination::decoded(notes.end);
  return {peer, end.signal, end.exit_status, end.description(), {{notes.running.task, notes.running.item}}};
}

}  // namespace

std::shared_ptr<transport> link_over_sockets(const boost::mpi::communicator& world, const std::shared_ptr<doorbells>& bells,
                                             const socket_link_options& options) {
  const connection_result result = connect_ranks(world, options.root, options.nodes, options.heartbeat_timeout);
  if (!result.problem.empty()) {
    throw error("a run over several nodes that survives lost ranks needs TCP connections between them: " + result.problem +
                "; allow these connections, or start the launcher without its option for lost ranks (in a script of slurm/: "
                "RANKPOOL_LAUNCHER=srun)");
  }
  socket_transport::options settings;
  settings.note = &bells->own_notes().running;
  if (world.rank() == options.root) {
    settings.heartbeat_timeout = options.heartbeat_timeout;
    settings.on_lost = [bells, options](int peer, const std::string& why) { return describe_loss(peer, why, *bells, options); };
  } else {
    settings.heartbeat_interval = std::min(options.heartbeat_timeout / 4, longest_heartbeat_interval);
    settings.acknowledgement_timeout = options.heartbeat_timeout;
    settings.on_lost = [on_root_lost = options.on_root_lost](int peer, const std::string&) {
      on_root_lost();
      return lost_peer{.peer = peer, .cause = {}};
    };
  }
  return std::make_shared<socket_transport>(result.sockets, std::move(settings));
}

}  // namespace rankpool::detail
