#include "session.hpp"

#include "mpi_check.hpp"
#include "mpi_transport.hpp"

#include "../core/current_worker.hpp"
#include "../core/inline_transport.hpp"
#include "../core/log.hpp"
#include "../core/pool.hpp"
#include "../core/worker.hpp"

#include <rankpool/detail/code_address.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rankpool::detail {
namespace {

// What every rank tells the others at the start.
struct introduction {
  std::string host;
  int pid = 0;
  std::string build;

  template <class Archive>
  void serialize(Archive& ar, unsigned) {
    ar & host & pid & build;
  }
};

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

introduction introduce() { return {host_name(), static_cast<int>(getpid()), program_build_id()}; }

void require_same_build(const std::vector<introduction>& ranks, int root) {
  const introduction& reference = ranks[static_cast<std::size_t>(root)];
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (ranks[r].build == reference.build) continue;
    throw error("rank " + std::to_string(r) + " (" + ranks[r].host + ") runs another build of this program than rank " +
                std::to_string(root) + " (" + reference.host + "): start the same file on every node");
  }
}

// Which node each rank is on, as far as sharing memory goes; 0 is the root's. MPI knows, unless it is told otherwise.
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

// What communicator_in_use knows.
std::mutex in_use_mutex;
std::vector<MPI_Comm> in_use;

// A task that calls exit() takes its rank and with it the whole launch along: the launcher would not say why.
// Several threads of a process may serve pools, and a process that a task has forked has left none of them.
class serving {
 public:
  explicit serving(std::string name) : name_(std::move(name)) {
    const std::lock_guard lock(mutex);
    static const int registered = std::atexit(report_exit);
    (void)registered;
    process = getpid();
    names.push_back(&name_);
  }
  serving(const serving&) = delete;
  serving& operator=(const serving&) = delete;
  ~serving() {
    const std::lock_guard lock(mutex);
    std::erase(names, &name_);
  }

  const std::string& name() const { return name_; }

 private:
  static void report_exit() {
    if (getpid() != process) return;
    const std::lock_guard lock(mutex);
    if (!names.empty()) log_line(*names.back() + " has left in the middle of its work: a task called exit()");
  }

  static inline std::mutex mutex;
  static inline std::vector<const std::string*> names;
  static inline pid_t process = 0;

  const std::string name_;
};

// Before anything is unwound: to free what the ranks share is collective, and the others would not come.
[[noreturn]] void abort_launch(const boost::mpi::communicator& world, const std::string& who) {
  log_line(who + " cannot go on: " + describe(std::current_exception()));
  MPI_Abort(world, 1);
  std::_Exit(1);
}

int serve(mpi_transport& link, const boost::mpi::communicator& world, const introduction& me) {
  const std::string who = "rank " + std::to_string(world.rank()) + " (" + me.host + ")";
  try {
    worker w(link, {world.rank(), me.host}, worker_pace::for_workers(world.size() - 1, link.workers_per_core()));
    const serving scope(who);
    return w.serve();
  } catch (...) {
    abort_launch(world, who);
  }
}

struct ending {
  int status = 0;
  bool orderly = true;  // false: a worker is still busy, or the pool itself has failed
};

// Runs the program on a pool and ends the pool, whatever happens.
ending lead_pool(pool& p, cluster& c, const std::function<int(cluster&)>& lead,
                 const std::function<int(const std::exception_ptr&)>& failed, timeout patience) {
  const out_of_task leading;
  ending end;
  try {
    end.status = lead(c);
    p.drain();
    end.orderly = p.stop(end.status, std::make_exception_ptr(pool_closed("the program has ended")), std::nullopt);
  } catch (...) {
    end.status = failed(std::current_exception());
    end.orderly = p.stop(end.status, std::make_exception_ptr(pool_closed("the program has failed")), patience);
  }
  return end;
}

}  // namespace

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

int run_session(const boost::mpi::communicator& world, int root, const std::function<int(cluster&)>& lead,
                const std::function<int(const std::exception_ptr&)>& failed, timeout patience) {
  const boost::mpi::communicator own(world, boost::mpi::comm_duplicate);  // our messages never meet the program's
  std::vector<introduction> ranks;
  boost::mpi::all_gather(own, introduce(), ranks);
  require_same_build(ranks, root);

  const std::vector<int> nodes = nodes_of(own, root);
  auto link = std::make_unique<mpi_transport>(own, root, nodes);
  if (own.rank() != root) return serve(*link, own, ranks[static_cast<std::size_t>(own.rank())]);
  std::vector<worker_info> workers;
  pool_options options;
  options.scheduling.workers_per_core = std::max(1.0, link->workers_per_core());
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (static_cast<int>(r) == root) continue;
    workers.push_back({static_cast<int>(r), ranks[r].host, ranks[r].pid});
    options.nodes.push_back(nodes[r]);
  }
  const auto p = std::make_shared<pool>(std::move(link), std::move(workers), std::move(options));
  cluster c = cluster_access::make(p);
  const ending end = lead_pool(*p, c, lead, failed, patience);
  if (!end.orderly) MPI_Abort(world, end.status == 0 ? 1 : end.status);
  return end.status;
}

int run_inline(const std::function<int(cluster&)>& lead, const std::function<int(const std::exception_ptr&)>& failed) {
  const introduction me = introduce();
  pool_options options;
  options.progress_thread = false;
  options.scheduling.most_pieces = 1;
  const auto p = std::make_shared<pool>(std::make_unique<inline_transport>(worker_place{0, me.host}),
                                        std::vector<worker_info>{{0, me.host, me.pid}}, options);
  cluster c = cluster_access::make(p);
  return lead_pool(*p, c, lead, failed, std::nullopt).status;
}

}  // namespace rankpool::detail
