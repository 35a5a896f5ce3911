#include "launch.hpp"

#include "lent_stdout.hpp"

#include "../core/log.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace rankpool::detail {
namespace {

constexpr int most_workers = 100'000;

constexpr const char* mark_variable = "RANKPOOL_INSIDE";  // "PID:LAUNCH"

/// An empty one counts as unset.
std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
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

/// Names the launch that the environment tells of: every process of it has the same.
std::string launch_name() { return variable("PMIX_NAMESPACE").value_or(""); }

/// Whether a rank of another program has started this one: the launcher's variables are that rank's.
bool is_inside_another() {
  const auto mark = variable(mark_variable);
  if (!mark) return false;
  const auto colon = mark->find(':');
  return mark->substr(0, colon) != std::to_string(getpid()) && mark->substr(colon + 1) == launch_name();
}

}  // namespace

bool speaks_for_launch() {
  if (is_inside_another()) return true;
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const auto rank = number(variable(name))) return *rank == 0;
  }
  return true;
}

void mark_environment() {
  static std::once_flag once;  // another thread may be reading the environment later on
  std::call_once(once, [] { setenv(mark_variable, (std::to_string(getpid()) + ":" + launch_name()).c_str(), 1); });
}

launch find_launch(const std::string& program) {
  const auto ranks = number(variable("OMPI_COMM_WORLD_SIZE"));     // mpirun
  const bool pmix = variable("PMIX_RANK").has_value();             // srun --mpi=pmix, or mpirun
  const auto slurm_tasks = number(variable("SLURM_NTASKS"));
  const auto workers_text = variable("RANKPOOL_WORKERS");
  const auto workers = number(workers_text);
  if (workers_text && (!workers || *workers < 0 || *workers > most_workers)) {
    return {start::refused, 0, "RANKPOOL_WORKERS must be a number from 0 (inline) to 100000, got '" + *workers_text + "'"};
  }

  if (is_inside_another()) {
    if (workers == 0) return {start::inline_, 0, {}};
    if (workers) return {start::launcher, *workers, {}};
    return {
        start::refused, 0,
        "a rank of an MPI program has started " + program +
            ", which cannot join that program's ranks: set RANKPOOL_WORKERS=0 to run it in one process, or RANKPOOL_WORKERS=n to "
            "start n workers for it"};
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
bool stops_in_order = false;             // run_options::stop_on_signal
volatile sig_atomic_t stopping_asks = 0;  // how often it was asked to, then

bool asks_to_stop(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGUSR1; }

// A signal from the terminal reaches the launcher as well; one sent to this process alone is passed on.
void pass_on(int signal, siginfo_t* info, void*) {
  caught = signal;
  const bool stops = stops_in_order && asks_to_stop(signal);
  if (stops) stopping_asks = stopping_asks + 1;
  if (child <= 0) return;
  if (stops) {
    kill(child, stopping_asks == 1 ? SIGUSR1 : SIGHUP);  // mpirun gives the first to all ranks, and ends them at the second
  } else if (info->si_code != SI_KERNEL) {
    kill(child, signal);
  }
}

// "/path/to/program", by which every node can start it; argv[0] where there is no /proc.
std::string own_path(int argc, char** argv) {
  std::array<char, PATH_MAX> path{};
  const auto length = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string(argc > 0 ? argv[0] : "");
}

std::vector<std::string> command(const std::string& launcher, int workers, const std::string& program, int argc, char** argv) {
  // Rank 0 mostly sleeps: it shares the cores of its workers. Pinning ranks would then put two on one core.
  std::vector<std::string> words{launcher, "--quiet", "-n", std::to_string(workers + 1), "--oversubscribe", "--bind-to", "none"};
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  const bool hidden = std::ranges::find(arguments, ":") != arguments.end();
  if (hidden) {
    // mpirun takes ":" for the start of another program, wherever it stands: hide it, and let a shell bring it back.
    words.insert(words.end(), {"/bin/sh", "-c", R"(for word; do shift; set -- "$@" "${word#,}"; done; exec "$0" "$@")"});
  }
  words.push_back(program);
  for (const std::string_view argument : arguments) words.emplace_back(hidden ? "," : "").append(argument);
  return words;
}

// A file that is opened takes the lowest number that is free: mpirun would take its own for stdin, stdout or stderr.
void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) (void)open("/dev/null", O_RDWR);
  }
}

// What the ranks find in their environment is this launch's alone.
void clear_environment() {
  unsetenv("RANKPOOL_WORKERS");  // of this launch; what a rank starts is asked for its own
  if (!is_inside_another()) return;
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name = std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    for (const std::string_view prefix : {"OMPI_", "PMIX_", "PRTE_", "PMI_", "SLURM_", mark_variable}) {
      if (name.starts_with(prefix)) names.emplace_back(name);
    }
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

constexpr std::array passed_on{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

// As posix_spawnp, but the process is terminated when this one dies, were it by SIGKILL. 0, or why it could not be started.
int start_process(const char* file, char** args, pid_t& pid) {
  std::array<int, 2> failed{};
  if (pipe2(failed.data(), O_CLOEXEC) != 0) return errno;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // one that comes before exec is for the launcher, not for our handler there
  const pid_t parent = getpid();
  pid = fork();
  int reason = pid < 0 ? errno : 0;
  if (pid == 0) {  // other threads may have held any lock: system calls alone
    prctl(PR_SET_PDEATHSIG, stops_in_order ? SIGHUP : SIGTERM);
    if (getppid() != parent) _exit(1);  // it has died already
    for (const int signal : passed_on) std::signal(signal, SIG_DFL);
    if (stops_in_order) {  // mpirun would kill the ranks
      sigaddset(&before, SIGINT);
      sigaddset(&before, SIGTERM);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    execvp(file, args);
    reason = errno;
    (void)!write(failed[1], &reason, sizeof reason);
    _exit(127);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(failed[1]);
  if (pid > 0 && read(failed[0], &reason, sizeof reason) == sizeof reason) waitpid(pid, nullptr, 0);
  close(failed[0]);
  return reason;
}

}  // namespace

int launch_self(int argc, char** argv, int workers, const run_options& options) {
  const std::string program = own_path(argc, argv);
  if (program.find('/') != std::string::npos && access(program.c_str(), X_OK) != 0) {
    log_line("cannot start '" + program + "' again (" + std::strerror(errno) +
             "): the program's file has to stay where it is, or set RANKPOOL_WORKERS=0 to run in this process");
    return 2;
  }
  open_standard_streams();
  clear_environment();
  if (geteuid() == 0) {  // mpirun refuses root otherwise; whoever starts a program as root has decided that already
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
  }

  const std::string launcher =
      variable("RANKPOOL_MPIRUN").value_or(options.launcher != nullptr ? options.launcher : "mpirun");
  std::vector<std::string> words = command(launcher, workers, program, argc, argv);
  std::vector<char*> args;
  for (std::string& word : words) args.push_back(word.data());
  args.push_back(nullptr);

  stops_in_order = options.stop_on_signal;
  struct sigaction action {};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : passed_on) sigaction(signal, &action, nullptr);
  std::signal(SIGCHLD, SIG_DFL);  // where it is ignored, as a parent may have left it, no status can be waited for

  const stdout_lender lender;
  pid_t pid = 0;
  if (const int failure = start_process(launcher.c_str(), args.data(), pid); failure != 0) {
    const std::string what = "cannot start '" + launcher + "' (" + std::strerror(failure) + "): ";
    if (launcher.find(' ') != std::string::npos) {
      log_line(what + "RANKPOOL_MPIRUN names one program and takes no arguments");
    } else {
      log_line(what + "install Open MPI (Debian: openmpi-bin), or set RANKPOOL_WORKERS=0 to run in this process");
    }
    return 2;
  }
  child = pid;
  if (caught != 0) kill(pid, stops_in_order && asks_to_stop(caught) ? SIGHUP : caught);  // it came before there was anybody to pass it on to

  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  child = 0;
  if (stopping_asks == 1 && asks_to_stop(caught) && WIFEXITED(status) && WEXITSTATUS(status) < 128) return WEXITSTATUS(status);
  if (caught == SIGINT || caught == SIGTERM || caught == SIGHUP || caught == SIGQUIT) {
    log_line("stopped by signal " + std::to_string(caught) + " (" + strsignal(caught) + "); no rank is left");
    return 128 + caught;
  }
  const int result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // A rank that is killed says nothing itself, and the launcher has been asked to be quiet.
  if (result > 128 && lender.nobody_came()) {  // the launcher's own failures have such a status too
    log_line("the launcher could not start '" + program + "' (status " + std::to_string(result) + "): '" + launcher + " -n " +
             std::to_string(workers + 1) + " " + program + "' says why");
  } else if (result > 128 && result < 128 + NSIG && result != 128 + SIGPIPE) {
    log_line("a rank was ended by signal " + std::to_string(result - 128) + " (" + strsignal(result - 128) +
             "), and the others with it");
  }
  return result;
}

}  // namespace rankpool::detail
