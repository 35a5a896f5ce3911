// Defines the life of one pool on each rank: the handshake, then the program on the root and the worker elsewhere.
#include "mpi/session.hpp"

#include "mpi/doorbell.hpp"
#include "mpi/mpi_check.hpp"
#include "mpi/mpi_transport.hpp"
#include "mpi/node_clocks.hpp"
#include "mpi/open_mpi.hpp"
#include "mpi/process_exit.hpp"
#include "mpi/process_watch.hpp"
#include "mpi/socket_link.hpp"
#include "mpi/termination.hpp"
#include "mpi/usable_cores.hpp"

#include "call/current_worker.hpp"
#include "dispatcher/pool.hpp"
#include "journal/open_journals.hpp"
#include "runner/fork_server.hpp"
#include "support/log.hpp"
#include "trace/run_trace.hpp"
#include "worker/inline_transport.hpp"
#include "worker/worker.hpp"

#include <rankpool/detail/wire/code_address.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/mpi/operations.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
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
  // Others read this word, to find out whether they can read the memory of the process.
  std::uint64_t word_address = 0;
  std::uint64_t word = 0;

  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar& host& pid& build& word_address& word;
  }
};

introduction introduce() {
  static const std::uint64_t word = std::random_device()();
  return {host_name(), static_cast<int>(getpid()), program_build_id(), reinterpret_cast<std::uint64_t>(&word), word};
}

// Both ranks are on the root's node. On one of them, finds out whether it can read the memory of the other.
void test_reading(mpi_transport& link, int rank, const introduction& of) {
  link.test_reading(rank, {of.pid, of.word_address, of.word});
}

void require_same_build(const std::vector<introduction>& ranks, int root) {
  const introduction& reference = ranks[static_cast<std::size_t>(root)];
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r].build == reference.build) continue;
    throw error("rank " + std::to_string(r) + " (" + ranks[r].host + ") runs another build of this program than rank " +
                std::to_string(root) + " (" + reference.host + "): start the same file on every node");
  }
}

std::vector<pid_t> processes_of(const std::vector<introduction>& ranks) {
  std::vector<pid_t> processes;
  for (const introduction& rank : ranks) processes.push_back(rank.pid);
  return processes;
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

// Ends this process without unwinding the stack, and with it all ranks. If the launcher lets other ranks run on when one ends,
// workers end when they notice that rank 0 has.
[[noreturn]] void end_all_ranks(const boost::mpi::communicator& world, int status, bool survives) {
  if (!survives) MPI_Abort(world, status);
  std::fflush(nullptr);
  termination_note::leave({.exit_status = status, .is_known = true});
  std::_Exit(status);
}

// The launcher does not end the workers when rank 0 ends.
[[noreturn]] void end_without_rank_0() {
  std::fflush(nullptr);
  ::raise(SIGHUP);  // as if the launcher had ended: handlers remove the files of tasks
  std::_Exit(1);
}

// Returns the MPI library and its version, such as "Open MPI v4.1.4".
std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string all(text.data(), static_cast<std::size_t>(length));
  return all.substr(0, all.find_first_of(",\n"));
}

// What the ranks of a session communicate with. Created and destroyed by all of them together.
struct session_link {
  std::shared_ptr<boost::mpi::communicator> world;
  std::vector<int> nodes;  // of each rank; 0: the root's
  std::shared_ptr<doorbells> bells;
  std::shared_ptr<transport> frames;
  mpi_transport* over_mpi = nullptr;  // the same as frames, if that is MPI's
  bool survives = false;              // the loss of workers
  bool is_traced = false;
  std::vector<std::chrono::nanoseconds> clocks_ahead;  // of each rank's node; on the root of a traced session

  // Returns the number of workers on this node, divided by the number of its cores.
  double workers_per_core(int root) const {
    const int workers = bells->ranks_on_node() - (bells->is_on_node(root) ? 1 : 0);
    return static_cast<double>(workers) / cores_of_node();
  }
  // To free what belongs to MPI is collective, and a lost rank does not take part. MPI may use its memory until the process ends.
  void keep_for_ever() {
    if (over_mpi == nullptr) frames.reset();
    (void)new session_link(std::move(*this));
    skip_finalization();
  }
  void close() {
    frames.reset();
    bells.reset();
  }
};

session_link connect(const std::shared_ptr<boost::mpi::communicator>& own, int root, const std::vector<introduction>& ranks,
                     const session_options& settings) {
  session_link c;
  c.world = own;
  c.nodes = nodes_of(*own, root);
  c.bells = std::make_shared<doorbells>(*own);
  const bool is_one_node = c.bells->all_on_node() && std::ranges::all_of(c.nodes, [](int node) { return node == 0; });
  // A variable of Open MPI may be set on some nodes alone.
  c.survives = boost::mpi::all_reduce(*own, settings.stopped_limit ? 1 : 0, boost::mpi::minimum<int>()) == 1;
  c.is_traced = !settings.trace.empty();
  boost::mpi::broadcast(*own, c.is_traced, root);  // the option may come from a variable that the others do not have
  if (c.is_traced) c.clocks_ahead = clocks_ahead(*own, root, c.nodes);
  if (c.survives && !is_one_node) {
    c.frames = link_over_sockets(*own, c.bells,
                                 {.root = root,
                                  .nodes = c.nodes,
                                  .processes = processes_of(ranks),
                                  .heartbeat_timeout = *settings.stopped_limit,
                                  .on_remote_loss = settings.on_remote_loss,
                                  .on_root_lost = end_without_rank_0});
  } else {
    const auto over_mpi = std::make_shared<mpi_transport>(*own, root, c.nodes, *c.bells);
    c.over_mpi = over_mpi.get();
    c.frames = over_mpi;
  }
  return c;
}

int serve(session_link c, const introduction& me, const introduction& rank_0, int root, const session_options& settings) {
  const boost::mpi::communicator& world = *c.world;
  const bool survives = c.survives;
  const std::string who = "rank " + std::to_string(world.rank()) + " (" + me.host + ")";
  try {
    std::optional<termination_note> note;
    std::optional<process_watch> watch;
    if (survives) {
      note.emplace(c.bells->own_notes().end);
      if (c.bells->is_on_node(root)) {
        watch.emplace(std::vector{static_cast<pid_t>(rank_0.pid)}, [](pid_t, process_watch::event) { end_without_rank_0(); });
      }
    }
    worker w(*c.frames, {world.rank(), me.host}, worker_pace::for_workers(world.size() - 1, c.workers_per_core(root)));
    if (c.is_traced) w.report_ends();
    const serving scope(who);
    const auto end_session = [&] {
      watch.reset();
      c.frames->end_watch();
      if (w.ranks_were_lost()) return c.keep_for_ever();
      if (survives && settings.on_collective_end) settings.on_collective_end();
    };
    const int status = w.serve([&](bool in_task) {
      end_session();
      c.close();  // collective: rank 0 does the same
      exit_as_worker(in_task);
    });
    end_session();
    return status;
  } catch (...) {
    log_line(who + " cannot go on: " + describe(std::current_exception()));
    end_all_ranks(world, 1, survives);
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
                const std::function<int(const std::exception_ptr&)>& failed, const session_options& settings) {
  const auto own = std::make_shared<boost::mpi::communicator>(world, boost::mpi::comm_duplicate);  // not the program's messages
  std::vector<introduction> ranks;
  boost::mpi::all_gather(*own, introduce(), ranks);
  require_same_build(ranks, root);

  session_link connected = connect(own, root, ranks, settings);
  const std::vector<int>& nodes = connected.nodes;
  const bool survives = connected.survives;
  const introduction& me = ranks[static_cast<std::size_t>(own->rank())];
  if (own->rank() != root) {
    const introduction& lead_rank = ranks[static_cast<std::size_t>(root)];
    if (connected.over_mpi != nullptr && nodes[static_cast<std::size_t>(own->rank())] == 0) {
      test_reading(*connected.over_mpi, root, lead_rank);
    }
    return serve(std::move(connected), me, lead_rank, root, settings);
  }
  if (!survives && has_recovery()) {
    log_line(
        "the launcher goes on when a rank ends, but this run does not survive that and would wait for the rank for ever; start the "
        "launcher without that option, or use run() without OMPI_MCA_btl and OMPI_MCA_pml");
  }
  if (survives && connected.over_mpi != nullptr) {
    connected.over_mpi->begin_watch(processes_of(ranks), *settings.stopped_limit);
  }
  std::vector<worker_info> workers;
  std::vector<recorder::place> places;
  pool_options options;
  options.may_send = &journals_keep_up;
  options.on_lost = &record_loss;
  options.survives_lost_workers = survives;
  options.runner_processes = fork_server::current() != nullptr;
  options.scheduling.workers_per_core = std::max(1.0, connected.workers_per_core(root));
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (static_cast<int>(r) == root) continue;
    if (connected.over_mpi != nullptr && nodes[r] == 0) test_reading(*connected.over_mpi, static_cast<int>(r), ranks[r]);
    workers.push_back({static_cast<int>(r), ranks[r].host, ranks[r].pid});
    options.nodes.push_back(nodes[r]);
    places.push_back({workers.back(), nodes[r], connected.is_traced ? connected.clocks_ahead[r] : 0ns});
  }
  run_trace trace(settings.trace, {me.host, mpi_version()}, places);
  options.trace = trace.observer();
  const auto p = std::make_shared<pool>(connected.frames, std::move(workers), options);
  cluster c = cluster_access::make(p);
  const auto end_session = [&] {
    connected.frames->end_watch();
    if (p->has_lost_workers()) return connected.keep_for_ever();
    if (survives && settings.on_collective_end) settings.on_collective_end();
    connected.close();
  };
  std::function<void(int)> on_exit;
  if (is_all_of_mpi(*own)) {
    on_exit = [&](int status) {
      commit_journals();
      const auto why = std::make_exception_ptr(pool_closed("the program has called exit()"));
      (void)trace.finish(status);
      if (!p->end_for_exit(status, why, time_to_exit)) end_all_ranks(*own, status, survives);
      end_session();
    };
  }
  const ending end = lead_pool(*p, c, trace.around(lead), failed, settings.grace_period, on_exit);
  if (!end.orderly) end_all_ranks(*own, end.status == 0 ? 1 : end.status, survives);
  end_session();
  return end.status;
}

int run_inline(const std::function<int(cluster&)>& lead, const std::function<int(const std::exception_ptr&)>& failed,
               const std::string& trace_file) {
  int initialized = 0;
  MPI_Initialized(&initialized);
  const bool is_all = initialized == 0 || is_all_of_mpi(boost::mpi::communicator(MPI_COMM_SELF, boost::mpi::comm_attach));
  const introduction me = introduce();
  pool_options options;
  options.may_send = &journals_keep_up;
  options.runner_processes = fork_server::current() != nullptr;
  options.progress_thread = false;
  options.scheduling.max_chunks = 1;
  const std::vector<worker_info> workers{{0, me.host, me.pid}};
  auto link = std::make_unique<inline_transport>(worker_place{0, me.host});
  if (!trace_file.empty()) link->report_ends();
  run_trace trace(trace_file, {me.host, mpi_version()}, {{.worker = workers[0]}});
  options.trace = trace.observer();
  const auto p = std::make_shared<pool>(std::move(link), workers, options);
  cluster c = cluster_access::make(p);
  std::function<void(int)> on_exit;
  if (is_all) {
    on_exit = [&](int status) {
      commit_journals();
      (void)trace.finish(status);
    };
  }
  return lead_pool(*p, c, trace.around(lead), failed, std::nullopt, on_exit).status;
}

}  // namespace rankpool::detail
