// Decides how a run starts, builds the command line of mpirun, and reports how the launch ended.
#include "mpi/launch.hpp"

#include "mpi/control_channel.hpp"
#include "mpi/launch_environment.hpp"
#include "mpi/launcher_process.hpp"
#include "mpi/left_processes.hpp"
#include "mpi/open_file_limit.hpp"
#include "mpi/open_mpi.hpp"
#include "mpi/own_command.hpp"
#include "mpi/usable_cores.hpp"

#include "support/log.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <string_view>
#include <vector>

namespace rankpool::detail {

launch find_launch(const std::string& program) {
  constexpr int max_workers = 100'000;
  const auto ranks = number(variable("OMPI_COMM_WORLD_SIZE"));  // mpirun
  const bool pmix = variable("PMIX_RANK").has_value();          // srun --mpi=pmix, or mpirun
  const auto slurm_tasks = number(variable("SLURM_NTASKS"));
  const auto workers_text = variable("RANKPOOL_WORKERS");
  const auto workers = number(workers_text);
  if (const auto limit = variable("RANKPOOL_START_LIMIT"); limit && number(limit).value_or(0) <= 0) {
    return {start::refused, 0, "RANKPOOL_START_LIMIT must be a number of seconds above 0, got '" + *limit + "'"};
  }
  if (workers_text && (!workers || *workers < 0 || *workers > max_workers)) {
    return {start::refused, 0, "RANKPOOL_WORKERS must be a number from 0 (inline) to 100000, got '" + *workers_text + "'"};
  }

  if (is_started_by_rank()) {
    if (workers == 0) return {start::inline_, 0, {}};
    if (workers) return {start::launcher, *workers, {}};
    return {
        start::refused, 0,
        "'" + program +
            "' was started by a rank of an MPI program and cannot join its ranks; set RANKPOOL_WORKERS=0 to run in one process, "
            "or RANKPOOL_WORKERS=n to start n workers"};
  }
  if (pmix || ranks) {
    const int size = ranks.value_or(number(variable("SLURM_STEP_NUM_TASKS")).value_or(slurm_tasks.value_or(2)));
    if (size > 1) return {start::ranks, 0, {}};
    if (slurm_tasks.value_or(1) > 1 && !workers) {
      return {start::refused, 0,
              "SLURM_NTASKS is " + std::to_string(*slurm_tasks) + " but MPI has one rank: start with 'srun --mpi=pmix " + program +
                  "' or 'mpirun " + program + "', or set RANKPOOL_WORKERS=0 to run in one process"};
    }
    return {start::inline_, 0, {}};
  }

  const auto other = number(variable("PMI_SIZE"));  // set by another MPI implementation, or by srun --mpi=pmi2
  if (other.value_or(1) > 1) {
    return {start::refused, 0,
            std::to_string(*other) +
                " separate processes were started by a launcher that Open MPI does not support; use 'mpirun' of Open MPI, or "
                "'srun --mpi=pmix " +
                program + "'"};
  }
  const bool in_step = variable("SLURM_STEP_ID").has_value() && variable("SLURM_PROCID").has_value();
  if (slurm_tasks.value_or(1) > 1 && (in_step || !workers)) {
    return {start::refused, 0,
            "SLURM_NTASKS is " + std::to_string(*slurm_tasks) + " but MPI has one rank: start with 'srun --mpi=pmix " + program +
                "' or 'mpirun " + program + "'"};
  }
  if (workers == 0) return {start::inline_, 0, {}};
  return {start::launcher, workers.value_or(usable_cores()), {}};
}

namespace {

// How long ranks may take until all are ready. The default suffices for thousands of ranks on a slow file system.
std::chrono::seconds start_limit() { return std::chrono::seconds(number(variable("RANKPOOL_START_LIMIT")).value_or(300)); }

// Returns whether the run can survive lost ranks, as far as that can be known. Rank 0 must run on this node, because it reports its
// status over a local socket: a batch script of Slurm runs on the first node of its job, as rank 0 does. If the user has chosen
// MPI's transport, the run uses that, and the launcher must end the run: Open MPI 4 may block in a send over TCP to a lost rank.
bool can_survive_losses(const std::string& launcher) {
  constexpr std::array<std::string_view, 5> known{"mpirun", "mpiexec", "orterun", "mpirun.openmpi", "mpiexec.openmpi"};
  const std::string name = launcher.substr(launcher.rfind('/') + 1);
  const bool is_one_node = number(variable("SLURM_JOB_NUM_NODES")).value_or(1) == 1;
  const bool is_batch_script = variable("SLURMD_NODENAME").has_value() && !variable("SLURM_STEP_ID");
  return std::ranges::find(known, name) != known.end() &&  // not a script, which may do anything
         !is_transport_chosen() && !variable("OMPI_MCA_orte_default_hostfile") && (is_one_node || is_batch_script);
}

std::vector<std::string> command(const std::string& launcher, int workers, const std::vector<std::string>& own, int argc,
                                 char** argv, bool has_recovery) {
  // Rank 0 mostly sleeps, so it shares the cores of its workers. If ranks were pinned, two workers could share one core.
  std::vector<std::string> words{launcher, "-n", std::to_string(workers + 1), "--oversubscribe", "--bind-to", "none"};
  std::ranges::copy(launcher_options(), std::back_inserter(words));
  if (has_recovery) std::ranges::copy(recovery_options(), std::back_inserter(words));
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  const bool escaped = std::ranges::find(arguments, ":") != arguments.end();
  if (escaped) {
    // mpirun takes any argument ":" for a separator of programs. So each argument gets a comma in front, which /bin/sh removes.
    words.insert(words.end(), {"/bin/sh", "-c", R"(for word; do shift; set -- "$@" "${word#,}"; done; exec "$0" "$@")"});
  }
  words.push_back(own.front());
  std::vector<std::string_view> rest(own.begin() + 1, own.end());
  rest.insert(rest.end(), arguments.begin(), arguments.end());
  for (const std::string_view word : rest) words.emplace_back(escaped ? "," : "").append(word);
  return words;
}

// Opens standard streams that are closed. The files that mpirun opens would otherwise get their descriptor numbers.
void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) (void)open("/dev/null", O_RDWR);
  }
}

std::string describe_signal(int signal) { return "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")"; }

/// Returns the exit status of run() if the launcher's is that of a lost rank, or 0 however the ranks end. Logs a line if rank 0 has
/// not reported a status.
int status_with_recovery(const launch_end& end) {
  if (end.program_status) return *end.program_status & 0xff;
  if (end.rank_0_signal != 0) {
    if (end.rank_0_signal != SIGPIPE) log_line("rank 0 was ended by " + describe_signal(end.rank_0_signal) + "; no rank is left");
    return 128 + end.rank_0_signal;
  }
  log_line(
      "rank 0 ended its process before the program had finished, and no rank is left: it was killed by SIGKILL, for example "
      "because "
      "memory ran out, or the program called _exit() or exec()");
  return 1;
}

/// Returns the exit status of run(), and logs one line about a failure that no rank has reported.
int report_end(const launch_end& end, const std::string& program, const std::string& launcher, int workers, bool has_recovery) {
  if (!end.survivors.empty()) {
    std::string processes;
    for (const pid_t process : end.survivors) processes.append(" ").append(std::to_string(process));
    log_line("processes of this launch survived SIGKILL:" + processes);
  }
  if (!end.left.empty()) log_line(left_message("the tasks", end.left));
  if (end.signal == SIGPIPE) return 128 + SIGPIPE;  // no message, as of any program whose reader has closed the pipe
  if (end.signal != 0) {
    // A killed launcher may leave ranks on other nodes.
    const bool no_rank_is_left = end.survivors.empty() && !end.launcher_was_killed;
    log_line("stopped by " + describe_signal(end.signal) + (no_rank_is_left ? "; no rank is left" : ""));
    return 128 + end.signal;
  }
  if (end.stop_signal != 0 && !end.has_begun) {
    log_line("stopped early by " + describe_signal(end.stop_signal) + "; rank 0 had not begun on this node");
    return 75;
  }
  const std::string try_again = "run '" + launcher + " -n " + std::to_string(workers + 1) + " " + program + "' to see why";
  if (end.exceeded_start_limit) {
    log_line(
        "the ranks of '" + program + "' were not all ready within " + std::to_string(start_limit().count()) +
        " s, and the launch was ended: a rank or node may have been lost while they started; RANKPOOL_START_LIMIT sets this time");
    return 1;
  }
  if (end.failed_at_start) {
    log_line("a rank of '" + program + "' ended before all ranks were ready, and the others were ended; " + try_again);
    return 1;
  }
  const bool exited = end.launcher_was_idle || WIFEXITED(end.wait_status);
  int status = end.launcher_was_idle ? 0 : exited ? WEXITSTATUS(end.wait_status) : 128 + WTERMSIG(end.wait_status);
  if (!exited || (end.had_orphaned_ranks && !end.program_status)) {
    log_line(
        "the launcher '" + launcher + "' was ended" +
        (exited ? " with status " + std::to_string(status) + " while ranks were running" : " by " + describe_signal(status - 128)) +
        "; its ranks on this node were ended as well");
    return status == 0 ? 1 : status;
  }
  if (end.stop_signal != 0 && end.program_status) return *end.program_status & 0xff;
  if (has_recovery && (status == 0 || end.program_status || end.rank_0_signal != 0)) {
    if (const int own_status = status_with_recovery(end); own_status != 0) return own_status;
    status = 0;
  }
  // The launcher's own failures have such a status as well, and it does not report all of them.
  if (!end.has_begun && (status > 128 || (status != 0 && end.was_silent))) {
    log_line("the launcher could not start '" + program + "' (status " + std::to_string(status) + "); " + try_again);
  } else if (const int signal = status - 128;
             signal > 0 && signal < NSIG && signal != SIGPIPE && !(end.program_status && (*end.program_status & 0xff) == status)) {
    // A killed rank reports nothing, and the launcher runs with --quiet where it has that option.
    log_line("a rank ended with status " + std::to_string(status) + ", as if killed by " + describe_signal(signal) +
             "; all ranks have ended");
  } else if (status != 0 && end.has_begun && !end.program_status) {
    log_line("a rank ended its process before the program had finished, and the launcher ended the others (status " +
             std::to_string(status) + "): a task must not call exit(), _exit() or exec()");
  }
  if (end.output_error != 0) {
    log_line(std::string("the output of ranks could not be written: ") + std::strerror(end.output_error));
    if (status == 0) return 1;
  }
  return status;
}

}  // namespace

int launch_self(int argc, char** argv, int workers, const run_options& options) {
  const std::vector<std::string> own = own_command(argc > 0 ? argv[0] : "");
  const std::string& program = own.back();
  if (program.find('/') != std::string::npos && access(program.c_str(), own.size() > 1 ? R_OK : X_OK) != 0) {
    log_line("cannot start '" + program + "' again (" + std::strerror(errno) +
             "); keep the program's file in its place, or set RANKPOOL_WORKERS=0 to run in this process");
    return 2;
  }
  if (const std::string refusal = raise_open_file_limit(workers + 1); !refusal.empty()) {
    log_line(refusal);
    return 2;
  }
  open_standard_streams();
  prepare_environment();

  const std::string launcher = variable("RANKPOOL_MPIRUN").value_or(options.launcher != nullptr ? options.launcher : "mpirun");
  // With recovery, the launcher's status does not tell how rank 0 has ended, so rank 0 must be able to report it.
  const bool has_recovery = !recovery_options().empty() && can_survive_losses(launcher) && rank_0_control().is_offered();
  std::vector<std::string> words = command(launcher, workers, own, argc, argv, has_recovery);
  std::vector<char*> args;
  for (std::string& word : words) args.push_back(word.data());
  args.push_back(nullptr);

  const launch_end end = run_launcher(args.data(), options.stop_on_signal, has_recovery, start_limit());
  if (end.start_error != 0) {
    const std::string what = "cannot start '" + launcher + "' (" + std::strerror(end.start_error) + "): ";
    if (launcher.find(' ') != std::string::npos) {
      log_line(what + "RANKPOOL_MPIRUN names one program and takes no arguments");
    } else {
      log_line(what + "install Open MPI (Debian: openmpi-bin), or set RANKPOOL_WORKERS=0 to run in this process");
    }
    return 2;
  }
  return report_end(end, program, launcher, workers, has_recovery);
}

}  // namespace rankpool::detail
