#include "session.hpp"

#include "mpi_transport.hpp"

#include "../core/inline_transport.hpp"
#include "../core/log.hpp"
#include "../core/pool.hpp"
#include "../core/worker.hpp"

#include <rankpool/detail/code_address.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <exception>
#include <memory>
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

// A task that calls exit() takes its rank and with it the whole launch along: the launcher would not say why.
std::string serving_as;

void report_exit() {
  if (!serving_as.empty()) log_line(serving_as + " has left in the middle of its work: a task called exit()");
}

struct ending {
  int status = 0;
  bool orderly = true;  // false: a worker is still busy, or the pool itself has failed
};

// Runs the program on a pool and ends the pool, whatever happens.
ending lead_pool(pool& p, cluster& c, const std::function<int(cluster&)>& lead,
                 const std::function<int(const std::exception_ptr&)>& failed, timeout patience) {
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

int run_session(const boost::mpi::communicator& world, int root, const std::function<int(cluster&)>& lead,
                        const std::function<int(const std::exception_ptr&)>& failed, timeout patience) {
  const boost::mpi::communicator own(world, boost::mpi::comm_duplicate);  // our messages never meet the program's
  std::vector<introduction> ranks;
  boost::mpi::all_gather(own, introduce(), ranks);
  require_same_build(ranks, root);

  auto link = std::make_unique<mpi_transport>(own, root);
  if (own.rank() != root) {
    worker w(*link, {own.rank(), ranks[static_cast<std::size_t>(own.rank())].host});
    static const int registered = std::atexit(report_exit);
    (void)registered;
    serving_as = "rank " + std::to_string(own.rank()) + " (" + ranks[static_cast<std::size_t>(own.rank())].host + ")";
    const int status = w.serve();
    serving_as.clear();
    return status;
  }
  std::vector<worker_info> workers;
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    if (static_cast<int>(r) != root) workers.push_back({static_cast<int>(r), ranks[r].host, ranks[r].pid});
  }
  const auto p = std::make_shared<pool>(std::move(link), std::move(workers), pool_options{});
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
