#include "launch.hpp"

#include "lent_stdout.hpp"

#include "../core/log.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace rankpool::detail {
namespace {

constexpr int most_workers = 100'000;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<int> number(const std::optional<std::string>& text) {
  int value = 0;
  if (!text) return std::nullopt;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
  return failure == std::errc() && end == text->data() + text->size() ? std::optional(value) : std::nullopt;
}

int usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(1, CPU_COUNT(&cores));
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

launch find_launch(const std::string& program) {
  const auto ranks = number(variable("OMPI_COMM_WORLD_SIZE"));     // mpirun
  const bool pmix = variable("PMIX_RANK").has_value();             // srun --mpi=pmix, or mpirun
  const auto slurm_tasks = number(variable("SLURM_NTASKS"));
  const auto workers_text = variable("RANKPOOL_WORKERS");
  const auto workers = number(workers_text);
  if (workers_text && (!workers || *workers < 0 || *workers > most_workers)) {
    return {start::refused, 0, "RANKPOOL_WORKERS must be a number from 0 (inline) to 100000, got '" + *workers_text + "'"};
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

  const auto other = number(variable("PMI_SIZE"));  // an MPI of another kind, or srun --mpi=pmi2
  if (other.value_or(1) > 1) {
    return {start::refused, 0,
            "a launcher that Open MPI does not know has started " + std::to_string(*other) +
                " separate processes: start with 'mpirun' of Open MPI, or 'srun --mpi=pmix " + program + "'"};
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

volatile sig_atomic_t caught = 0;
volatile pid_t child = 0;

// A signal from the terminal reaches the launcher as well; one sent to this process alone is passed on.
void pass_on(int signal, siginfo_t* info, void*) {
  caught = signal;
  if (info->si_code != SI_KERNEL && child > 0) kill(child, signal);
}

std::string own_path(const char* argv0) {
  std::array<char, PATH_MAX> path{};
  const auto length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string(argv0);
}

}  // namespace

int launch_self(int argc, char** argv, int workers, const run_options& options) {
  const std::string launcher =
      variable("RANKPOOL_MPIRUN").value_or(options.launcher != nullptr ? options.launcher : "mpirun");
  // Rank 0 mostly sleeps: it shares the cores of its workers. Pinning ranks would then put two on one core.
  std::vector<std::string> words{launcher, "--quiet", "-n", std::to_string(workers + 1), "--oversubscribe", "--bind-to", "none",
                                 own_path(argv[0])};
  words.insert(words.end(), argv + 1, argv + argc);
  std::vector<char*> args;
  for (std::string& word : words) args.push_back(word.data());
  args.push_back(nullptr);

  if (geteuid() == 0) {  // mpirun refuses root otherwise; whoever starts a program as root has decided that already
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  }

  struct sigaction action {};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT}) sigaction(signal, &action, nullptr);

  const stdout_lender lender;
  pid_t pid = 0;
  if (const int failure = posix_spawnp(&pid, launcher.c_str(), nullptr, nullptr, args.data(), environ); failure != 0) {
    log_line("cannot start '" + launcher + "' (" + std::strerror(failure) +
             "): install Open MPI (Debian: openmpi-bin), or set RANKPOOL_WORKERS=0 to run in this process");
    return 2;
  }
  child = pid;
  if (caught != 0) kill(pid, caught);  // it came before there was anybody to pass it on to

  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  child = 0;
  if (caught == SIGINT || caught == SIGTERM || caught == SIGHUP || caught == SIGQUIT) {
    log_line("stopped by signal " + std::to_string(caught) + " (" + strsignal(caught) + "); no rank is left");
    return 128 + caught;
  }
  const int result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // A rank that is killed says nothing itself, and the launcher has been asked to be quiet.
  if (result > 128 && result < 128 + NSIG && result != 128 + SIGPIPE) {
    log_line("a rank was ended by signal " + std::to_string(result - 128) + " (" + strsignal(result - 128) +
             "), and the others with it");
  }
  return result;
}

}  // namespace rankpool::detail
