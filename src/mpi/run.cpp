// run(): from the command line to the exit status, on every rank.
#include <rankpool/run.hpp>

#include "launch.hpp"
#include "lent_stdout.hpp"
#include "session.hpp"

#include "../core/frame.hpp"
#include "../core/log.hpp"

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>
#include <mpi.h>

#include <cstdlib>
#include <exception>
#include <string>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr int status_failed = 1;
constexpr int status_usage = 2;
constexpr auto patience_after_failure = 2s;  // for tasks that still run when the program has failed

int report(const std::exception_ptr& e) {
  std::string text = describe(e);
  if (const remote_info* where = remote_context(e); where != nullptr && !where->trace.empty()) {
    text += ", thrown in\n" + where->trace;
    text.pop_back();  // the line ends once
  }
  log_line(text);
  return status_failed;
}

int run_ranks(int& argc, char**& argv, const std::function<int(cluster&)>& program) {
  boost::mpi::environment mpi(argc, argv, boost::mpi::threading::serialized);
  if (mpi.thread_level() < boost::mpi::threading::serialized) {
    log_line("this MPI provides no MPI_THREAD_SERIALIZED, which handing out tasks needs: use a build of Open MPI with threads");
    return status_usage;
  }
  const boost::mpi::communicator world;
  if (world.size() == 1) {
    const char* tasks = std::getenv("SLURM_NTASKS");
    if (tasks != nullptr && std::atoi(tasks) > 1) {
      log_line(std::string("SLURM_NTASKS is ") + tasks + " but MPI has one rank: start with 'srun --mpi=pmix' or 'mpirun'");
      return status_usage;
    }
    return run_inline(program, report);
  }
  if (world.rank() == 0) borrow_stdout();
  try {
    return run_session(world, 0, program, report, patience_after_failure);
  } catch (const message_error& e) {
    log_line("rank " + std::to_string(world.rank()) + ": " + e.what());
    MPI_Abort(world, status_failed);
  } catch (const error& e) {
    if (world.rank() == 0) log_line(e.what());
    return status_usage;
  }
  return status_failed;
}

}  // namespace

int run_program(int& argc, char**& argv, const std::function<int(cluster&)>& program, const run_options& options) {
  const std::string name = argc > 0 ? argv[0] : "PROGRAM";
  const launch l = find_launch(name);
  switch (l.how) {
    case start::refused:
      if (const char* rank = std::getenv("SLURM_PROCID"); rank == nullptr || std::atoi(rank) == 0) log_line(l.reason);
      return status_usage;
    case start::inline_: return run_inline(program, report);
    case start::launcher: return launch_self(argc, argv, l.workers, options);
    case start::ranks: return run_ranks(argc, argv, program);
  }
  return status_usage;
}

}  // namespace rankpool::detail
