// run(): everything from the command line to the exit status, on every rank.
#include <rankpool/run.hpp>

#include "mpi/control_channel.hpp"
#include "mpi/launch.hpp"
#include "mpi/launch_environment.hpp"
#include "mpi/launcher_watch.hpp"
#include "mpi/left_processes.hpp"
#include "mpi/open_mpi.hpp"
#include "mpi/process_exit.hpp"
#include "mpi/session.hpp"
#include "mpi/stop_monitor.hpp"
#include "mpi/termination.hpp"

#include "dispatcher/pool.hpp"
#include "journal/open_journals.hpp"
#include "runner/fork_server.hpp"
#include "support/log.hpp"

#include <rankpool/detail/wire/buffer_pool.hpp>

#include <malloc.h>
#include <mpi.h>
#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr int status_failed = 1;
constexpr int status_usage = 2;
constexpr int status_stopped = 75;
constexpr auto failure_grace_period = 2s;  // for tasks that are running when the program fails

// Logs the exception that ended the program and returns the exit status.
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
    text.pop_back();  // log_line() adds the line end
  }
  log_line(text);
  return status_failed;
}

// run() works once in a process. MPI cannot be initialised twice, and a second launch would start the whole program again.
enum class stage { before, running, over };
std::atomic<stage> run_stage = stage::before;

// Reports why the run cannot start, on one process of the launch, and returns the exit status.
int refuse(const std::string& reason) {
  if (is_reporting_process()) {
    log_line(reason);
  } else {
    std::this_thread::sleep_for(200ms);  // mpirun kills all ranks when the first one fails, so rank 0 must report first
  }
  return status_usage;
}

// Before main(), because SIGHUP must end the process before run(), and the program must find the default action.
[[maybe_unused]] const bool hangup_is_restored = (restore_hangup_action(), true);

// Makes glibc keep freed memory, because the next task or message soon needs as much again. The limit is that of the buffer pool.
// Does nothing if the user has set glibc's own variables.
void keep_freed_memory() {
#ifdef __GLIBC__
  for (const char* set : {"GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"}) {
    if (std::getenv(set) != nullptr) return;
  }
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(max_pooled_bytes));
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the maximum that glibc accepts
#endif
}

// Runs the program and all tasks that it submits, and stops them early on request.
int lead(cluster& c, const std::function<int(cluster&)>& program, const run_options& options) {
  pool& p = *cluster_access::get(c);
  p.life().set_grace_period(options.grace);
  const stop_monitor monitor(c, options);
  int status = 0;
  std::exception_ptr thrown;
  try {
    status = program(c);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown == nullptr || p.life().is_stopped_early()) p.drain();
  if (thrown == nullptr && status == 0 && p.life().has_left_out_work()) thrown = p.life().stop_reason();
  commit_journals();
  if (thrown != nullptr) std::rethrow_exception(thrown);
  return status;
}

bool query_mpi(int (*query)(int*)) {
  int answer = 0;
  query(&answer);
  return answer != 0;
}

// MPI while the pool runs. The destructor finalizes it, unless ranks were lost.
class mpi_use {
 public:
  mpi_use(int& argc, char**& argv) {
    const reachability_setting setting;
    environment_ = std::make_unique<boost::mpi::environment>(argc, argv, boost::mpi::threading::multiple);  // tasks may call MPI
  }
  mpi_use(const mpi_use&) = delete;
  mpi_use& operator=(const mpi_use&) = delete;
  ~mpi_use() {
    if (is_finalization_skipped()) (void)environment_.release();
  }

 private:
  std::unique_ptr<boost::mpi::environment> environment_;
};

int run_ranks(int& argc, char**& argv, const std::function<int(cluster&)>& program, const run_options& options) {
  const bool was_initialised = query_mpi(MPI_Initialized);
  const bool survives = has_recovery() && !was_initialised && !is_transport_chosen();
  ending_limit limit;
  const mpi_use mpi(argc, argv);
  restore_hangup_action();
  mark_environment();
  const boost::mpi::communicator world;
  const launcher_control launcher(world.rank() == 0);
  const auto report_status = [&](int status) {
    launcher.report(status);
    return status;
  };
  if (boost::mpi::environment::thread_level() < boost::mpi::threading::serialized) {
    return report_status(refuse(
        was_initialised ? "run(): MPI was initialised below MPI_THREAD_SERIALIZED, which the progress thread requires; "
                          "initialise it with MPI_THREAD_SERIALIZED (boost::mpi::threading::serialized), let run() initialise it, "
                          "or use with_executor"
                        : "this MPI does not provide MPI_THREAD_SERIALIZED, which the progress thread requires; use a build of "
                          "Open MPI with threads"));
  }
  const communicator_in_use scope(world);
  if (world.size() == 1) {
    for (const char* name : {"SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE"}) {
      const char* ranks = std::getenv(name);
      if (ranks == nullptr || std::atoi(ranks) <= 1) continue;
      return report_status(
          refuse(std::string(name) + " is " + ranks + " but MPI has one rank: start with 'srun --mpi=pmix' or 'mpirun'" +
                 (name == std::string("SLURM_NTASKS") ? "" : ", or unset it if it is left over from another launch")));
    }
    return run_inline(program, report, options.trace);
  }
  std::optional<termination_note> note;
  if (survives && world.rank() == 0) note.emplace(launcher_control::report_ending);
  const auto program_with_exit_report = [&](cluster& c) {
    launcher.report_ready();
    const leading exit_scope(report_status);
    return program(c);
  };
  session_options settings;
  settings.grace_period = failure_grace_period;
  if (survives) settings.stopped_limit = options.heartbeat_timeout;
  settings.trace = options.trace;
  settings.on_remote_loss = [&] { launcher.report_remote_loss(); };
  settings.on_collective_end = [&] { limit.start(); };
  try {
    return report_status(run_session(
        world, 0, program_with_exit_report, [&](const std::exception_ptr& e) { return report_status(report(e)); }, settings));
  } catch (const error& e) {  // the handshake failed on every rank
    if (world.rank() == 0) log_line(e.what());
    return report_status(status_usage);
  }
}

// Runs the program inline, as a rank, or under a launcher, depending on how this process was started. `launched`: set to true if
// it starts a launcher.
int run_by_start_kind(int& argc, char**& argv, const std::function<int(cluster&)>& program, const run_options& options,
                      bool& launched) {
  const auto monitored_program = [&](cluster& c) { return lead(c, program, options); };
  if (query_mpi(MPI_Finalized)) return refuse("run(): MPI has been finalised in this process; call run() before MPI_Finalize()");
  if (query_mpi(MPI_Initialized)) {  // MPI knows the number of ranks, so the environment is not needed
    install_stop_signal_handlers(options);
    return run_ranks(argc, argv, monitored_program, options);
  }
  const launch l = find_launch(argc > 0 ? argv[0] : "PROGRAM");
  switch (l.how) {
    case start::refused: return refuse(l.reason);
    case start::inline_: {
      const fork_server server(true);
      install_stop_signal_handlers(options);
      return run_inline(monitored_program, report, options.trace);
    }
    case start::launcher: launched = true; return launch_self(argc, argv, l.workers, options);
    case start::ranks: {
      terminate_with_launcher();
      mark_environment();  // runners inherit it
      const std::string name = "rank " + std::to_string(rank_of_launch().value_or(0)) + " (" + host_name() + ")";
      const fork_server server(!is_reporting_process(), name);  // rank 0 runs no tasks
      install_stop_signal_handlers(options);
      if (!is_reporting_process()) note_streams(name);
      const int status = run_ranks(argc, argv, monitored_program, options);
      end_left_processes();
      return status;
    }
  }
  return status_usage;
}

}  // namespace

int run_program(int& argc, char**& argv, const std::function<int(cluster&)>& program, const run_options& options) {
  static bool launched = false;
  stage before = stage::before;
  if (!run_stage.compare_exchange_strong(before, stage::running)) {
    if (before == stage::running) {
      throw error("run() is already running in this process: make another executor on its cluster");
    }
    if (launched) return status_usage;  // the ranks have reported it
    return refuse("run() works once in a process: make several executors on its cluster, or initialise MPI and call with_executor");
  }
  const struct scope {
    ~scope() { run_stage = stage::over; }
  } ends;
  keep_freed_memory();
  return run_by_start_kind(argc, argv, program, options, launched);
}

}  // namespace rankpool::detail
