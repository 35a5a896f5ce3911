// run(): from the command line to the exit status, on every rank.
#include <rankpool/run.hpp>

#include "launch.hpp"
#include "lent_stdout.hpp"
#include "session.hpp"
#include "stop_watch.hpp"

#include "../core/journal/open_journals.hpp"
#include "../core/log.hpp"
#include "../core/pool.hpp"

#include <rankpool/detail/spares.hpp>

#include <malloc.h>
#include <mpi.h>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr int status_failed = 1;
constexpr int status_usage = 2;
constexpr int status_stopped = 75;
constexpr auto patience_after_failure = 2s;  // for tasks that still run when the program has failed

int report(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const stopped_error& stopped) {
    log_line(stopped.what());
    return status_stopped;
  } catch (...) {
  }
  std::string text = describe(e);
  if (const remote_info* where = remote_context(e); where != nullptr && !where->trace.empty()) {
    text += ", thrown in\n" + where->trace;
    text.pop_back();  // the line ends once
  }
  log_line(text);
  return status_failed;
}

// run() works once in a process: the second time MPI would be over, and a program that starts itself would do it all again.
enum class stage { before, running, over };
std::atomic<stage> run_is = stage::before;

int refuse(const std::string& reason) {
  if (speaks_for_launch()) {
    log_line(reason);
  } else {
    std::this_thread::sleep_for(200ms);  // mpirun ends the others when the first one returns a failure: let the reason be said
  }
  return status_usage;
}

// What one task or message frees is soon needed for the next: glibc should keep it, within the bounds of what is kept
// elsewhere. Whoever has set its variables knows better.
void keep_freed_memory() {
#ifdef __GLIBC__
  for (const char* set : {"GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}) {
    if (std::getenv(set) != nullptr) return;
  }
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(most_spare_bytes));
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that it takes
#endif
}

// The program, watched for what stops it, and what is left to do once it was stopped.
int lead(cluster& c, const std::function<int(cluster&)>& program, const run_options& options) {
  const stop_watch watch(c, options);
  pool& p = *cluster_access::get(c);
  int status = 0;
  std::exception_ptr thrown;
  try {
    status = program(c);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (p.halted() && !p.await_quiet(options.grace)) p.give_up();
  if (p.gave_up() && thrown == nullptr) thrown = std::make_exception_ptr(stopped_error("stopped early"));
  commit_journals();
  if (thrown != nullptr) std::rethrow_exception(thrown);
  return status;
}

bool mpi_is(int (*asked)(int*)) {
  int answer = 0;
  asked(&answer);
  return answer != 0;
}

int run_ranks(int& argc, char**& argv, const std::function<int(cluster&)>& program) {
  const bool initialised_before = mpi_is(MPI_Initialized);
  const boost::mpi::environment mpi(argc, argv, boost::mpi::threading::serialized);
  mark_environment();
  if (boost::mpi::environment::thread_level() < boost::mpi::threading::serialized) {
    return refuse(initialised_before
                      ? "run(): this program has initialised MPI below MPI_THREAD_SERIALIZED, which handing out tasks needs: "
                        "initialise it with MPI_THREAD_SERIALIZED (boost::mpi::threading::serialized), leave that to run(), or "
                        "use with_executor"
                      : "this MPI provides no MPI_THREAD_SERIALIZED, which handing out tasks needs: use a build of Open MPI "
                        "with threads");
  }
  const boost::mpi::communicator world;
  const communicator_in_use scope(world);
  if (world.size() == 1) {
    for (const char* promise : {"SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE"}) {
      const char* ranks = std::getenv(promise);
      if (ranks == nullptr || std::atoi(ranks) <= 1) continue;
      return refuse(std::string(promise) + " is " + ranks + " but MPI has one rank: start with 'srun --mpi=pmix' or 'mpirun'" +
                    (promise == std::string("SLURM_NTASKS") ? "" : ", or unset it if it is left over from another launch"));
    }
    return run_inline(program, report);
  }
  if (world.rank() == 0) borrow_stdout();
  try {
    return run_session(world, 0, program, report, patience_after_failure);
  } catch (const error& e) {  // the ranks cannot work together, and each of them knows it
    if (world.rank() == 0) log_line(e.what());
    return status_usage;
  }
}

int run_somewhere(int& argc, char**& argv, const std::function<int(cluster&)>& program, const run_options& options,
                  bool& launched) {
  const auto watched = [&](cluster& c) { return lead(c, program, options); };
  if (mpi_is(MPI_Finalized)) return refuse("run(): MPI has been finalised in this process: call it before that");
  if (mpi_is(MPI_Initialized)) {  // it knows better than the environment
    take_stop_signals(options);
    return run_ranks(argc, argv, watched);
  }
  const launch l = find_launch(argc > 0 ? argv[0] : "PROGRAM");
  switch (l.how) {
    case start::refused: return refuse(l.reason);
    case start::inline_: take_stop_signals(options); return run_inline(watched, report);
    case start::launcher: launched = true; return launch_self(argc, argv, l.workers, options);
    case start::ranks: take_stop_signals(options); return run_ranks(argc, argv, watched);
  }
  return status_usage;
}

}  // namespace

int run_program(int& argc, char**& argv, const std::function<int(cluster&)>& program, const run_options& options) {
  static bool launched = false;
  stage before = stage::before;
  if (!run_is.compare_exchange_strong(before, stage::running)) {
    if (before == stage::running) {
      throw error("run() is already running in this process: make another executor on its cluster");
    }
    if (launched) return status_usage;  // the ranks have said it
    return refuse("run() works once in a process: make several executors on its cluster, or initialise MPI and call with_executor");
  }
  const struct scope {
    ~scope() { run_is = stage::over; }
  } ends;
  keep_freed_memory();
  return run_somewhere(argc, argv, program, options, launched);
}

}  // namespace rankpool::detail
