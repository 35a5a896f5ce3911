// Defines the life of one pool on each rank: the handshake, then the program on the root and the worker elsewhere.
#include "mpi/session.hpp"

#include "mpi/mpi_check.hpp"
#include "mpi/mpi_transport.hpp"
#include "mpi/process_exit.hpp"

#include "call/current_worker.hpp"
#include "dispatcher/pool.hpp"
#include "journal/open_journals.hpp"
#include "runner/fork_server.hpp"
#include "support/log.hpp"
#include "worker/inline_transport.hpp"
#include "worker/worker.hpp"

#include <rankpool/detail/wire/code_address.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto time_to_exit = 2s;  // how long exit() waits for the workers, which answer in milliseconds

// What every rank sends to the others at the start.
struct introduction {
  std::string host;
  int pid = 0;
  std::string build;

  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar& host& pid& build;
  }
};

introduction introduce() { return {host_name(), static_cast<int>(getpid()), program_build_id()}; }

void require_same_build(const std::vector<introduction>& ranks, int root) {
  const introduction& reference = ranks[static_cast<std::size_t>(root)];
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r].build == reference.build) continue;
    throw error("rank " + std::to_string(r) + " (" + ranks[r].host + ") runs another build of this program than rank " +
                std::to_string(root) + " (" + reference.host + "): start the same file on every node");
  }
}

// Returns the node of each rank; 0 is the root's. The ranks of a node can share memory. MPI reports the nodes unless
// RANKPOOL_RANKS_PER_NODE is set.
std::vector<int> nodes_of(const boost::mpi::communicator& world, int root) {
  int mine = 0;
  if (const char* given = std::getenv("RANKPOOL_RANKS_PER_NODE"); given != nullptr && std::atoi(given) > 0) {
    mine = world.rank() / std::atoi(given) * std::atoi(given);
  } else {
    MPI_Comm node = MPI_COMM_NULL;
    mpi_check(MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, world.rank(), MPI_INFO_NULL, &node), "MPI_Comm_split_type");
    mine = world.rank();
    mpi_check(MPI_Bcast(&mine, 1, MPI_INT, 0, node), "MPI_Bcast");
    MPI_Comm_free(&node);
  }
  std::vector<int> firsts;
  boost::mpi::all_gather(world, mine, firsts);
  const int of_root = firsts[static_cast<std::size_t>(root)];
  for (int& first : firsts) first = first == of_root ? 0 : first + 1;
  return firsts;
}

// The communicators of the existing communicator_in_use objects.
std::mutex in_use_mutex;
std::vector<MPI_Comm> in_use;

// Logs the exception that is being handled, and aborts MPI. Call it before the stack is unwound: freeing the shared resources is
// collective, and the other ranks would not take part.
[[noreturn]] void abort_launch(const boost::mpi::communicator& world, const std::string& who) {
  log_line(who + " cannot go on: " + describe(std::current_exception()));
  MPI_Abort(world, 1);
  std::_Exit(1);
}

int serve(std::unique_ptr<mpi_transport> link, const boost::mpi::communicator& world, const introduction& me) {
  const std::string who = "rank " + std::to_string(world.rank()) + " (" + me.host + ")";
  try {
    worker w(*link, {world.rank(), me.host}, worker_pace::for_workers(world.size() - 1, link->workers_per_core()));
    const serving scope(who);
    return w.serve([&](bool in_task) {
      link.reset();  // collective: rank 0 does the same
      exit_as_worker(in_task);
    });
  } catch (...) {
    abort_launch(world, who);
  }
}

struct ending {
  int status = 0;
  bool orderly = true;  // false: a worker is still busy, or the pool itself has failed
};

// Runs the program on a pool, and ends the pool in every case. `on_exit`: called when the program calls exit(); may be null.
ending lead_pool(pool& p, cluster& c, const std::function<int(cluster&)>& lead,
                 const std::function<int(const std::exception_ptr&)>& failed, timeout grace_period,
                 const std::function<void(int)>& on_exit) {
  const out_of_task scope;
  ending end;
  try {
    std::optional<leading> exit_scope;
    if (on_exit) exit_scope.emplace(on_exit);
    end.status = lead(c);
    p.drain();
    exit_scope.reset();
    end.orderly = p.end(end.status, std::make_exception_ptr(pool_closed("the program has ended")), std::nullopt);
  } catch (...) {
    end.status = failed(std::current_exception());
    if (p.life().has_abandoned_tasks()) grace_period = 0ns;  // the grace period is over
    end.orderly = p.end(end.status, std::make_exception_ptr(pool_closed("the program has failed")), grace_period);
  }
  return end;
}

// Returns whether the communicator has all ranks of MPI_COMM_WORLD. If not, exit() must not end the pool and MPI, because the ranks
// outside of the pool would not learn of it.
bool is_all_of_mpi(const boost::mpi::communicator& communicator) {
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return communicator.size() == size;
}

}  // namespace

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

communicator_in_use::communicator_in_use(MPI_Comm communicator) : communicator_(communicator) {
  if (communicator_ == MPI_COMM_SELF) return;
  const std::lock_guard lock(in_use_mutex);
  if (std::ranges::find(in_use, communicator_) != in_use.end()) {
    throw error("a pool is already running on this communicator in this process: use its executor, or another communicator");
  }
  in_use.push_back(communicator_);
}

communicator_in_use::~communicator_in_use() {
  const std::lock_guard lock(in_use_mutex);
  std::erase(in_use, communicator_);
}

bool has_other_pool_over_ranks(MPI_Comm communicator) {
  const std::lock_guard lock(in_use_mutex);
  return std::ranges::any_of(in_use, [&](MPI_Comm used) {
    int size = 0;
    MPI_Comm_size(used, &size);
    return used != communicator && size > 1;
  });
}

int run_session(const boost::mpi::communicator& world, int root, const std::function<int(cluster&)>& lead,
                const std::function<int(const std::exception_ptr&)>& failed, timeout grace_period) {
  const boost::mpi::communicator own(world, boost::mpi::comm_duplicate);  // separates the pool's messages from the program's
  std::vector<introduction> ranks;
  boost::mpi::all_gather(own, introduce(), ranks);
  require_same_build(ranks, root);

  const std::vector<int> nodes = nodes_of(own, root);
  auto link = std::make_unique<mpi_transport>(own, root, nodes);
  if (own.rank() != root) return serve(std::move(link), own, ranks[static_cast<std::size_t>(own.rank())]);
  std::vector<worker_info> workers;
  pool_options options;
  options.may_send = &journals_keep_up;
  options.runner_processes = fork_server::current() != nullptr;
  options.scheduling.workers_per_core = std::max(1.0, link->workers_per_core());
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (static_cast<int>(r) == root) continue;
    workers.push_back({static_cast<int>(r), ranks[r].host, ranks[r].pid});
    options.nodes.push_back(nodes[r]);
  }
  const auto p = std::make_shared<pool>(std::move(link), std::move(workers), options);
  cluster c = cluster_access::make(p);
  std::function<void(int)> on_exit;
  if (is_all_of_mpi(own)) {
    on_exit = [&](int status) {
      commit_journals();
      const auto why = std::make_exception_ptr(pool_closed("the program has called exit()"));
      if (!p->end_for_exit(status, why, time_to_exit)) MPI_Abort(world, status);
    };
  }
  const ending end = lead_pool(*p, c, lead, failed, grace_period, on_exit);
  if (!end.orderly) MPI_Abort(world, end.status == 0 ? 1 : end.status);
  return end.status;
}

int run_inline(const std::function<int(cluster&)>& lead, const std::function<int(const std::exception_ptr&)>& failed) {
  int initialized = 0;
  MPI_Initialized(&initialized);
  const bool is_all = initialized == 0 || is_all_of_mpi(boost::mpi::communicator(MPI_COMM_SELF, boost::mpi::comm_attach));
  const introduction me = introduce();
  pool_options options;
  options.may_send = &journals_keep_up;
  options.runner_processes = fork_server::current() != nullptr;
  options.progress_thread = false;
  options.scheduling.max_chunks = 1;
  const auto p = std::make_shared<pool>(std::make_unique<inline_transport>(worker_place{0, me.host}),
                                        std::vector<worker_info>{{0, me.host, me.pid}}, options);
  cluster c = cluster_access::make(p);
  std::function<void(int)> on_exit;
  if (is_all) on_exit = [](int) { commit_journals(); };
  return lead_pool(*p, c, lead, failed, std::nullopt, on_exit).status;
}

}  // namespace rankpool::detail
