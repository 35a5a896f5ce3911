// Tests how the job `exec` runs a command: its end, output, environment and timeout.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "exec/command.hpp"
#include "exec/command_template.hpp"
#include "exec/environment.hpp"
#include "exec/process.hpp"
#include "support/catch.hpp"

namespace {

jobs::command_outcome outcome_of(const std::string& line, double timeout = 0) {
  return jobs::run_command({.timeout_seconds = timeout}, {1, {line}, true});
}

double seconds_of(auto&& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

TEST_CASE("the outcome of a command has the status of a shell") {
  CHECK(outcome_of("exit 3").status == 3);
  CHECK(outcome_of("true").status == 0);
  CHECK(outcome_of("false").status == 1);
  CHECK(outcome_of("kill -9 $$").signal == 9);
  CHECK(outcome_of("no-such-program x").status == 127);
  CHECK(outcome_of("/etc/passwd").status == 126);
  CHECK(jobs::run_command({}, {1, {"no-such-program"}, false}).status == 127);
  CHECK(jobs::run_command({}, {1, {"/etc/passwd"}, false}).status == 126);
  CHECK(jobs::run_command({}, {1, {"/"}, false}).ended_by_us == "cannot be started: /: Permission denied");
  CHECK(jobs::run_command({}, {1, {std::string("a\0b", 3)}, false}).status == 126);
  CHECK(jobs::run_command({}, {3, {"a", std::string("a\0b", 3)}, false}).ended_by_us ==
        "cannot be started: an argument contains a NUL byte");
  CHECK(outcome_of(std::string("true \0b", 7)).ended_by_us.find("NUL byte") != std::string::npos);
  CHECK(outcome_of("true " + std::string(300'000, 'x')).status == 126);  // longer than the system accepts
}

TEST_CASE("the output of a command is complete, and its streams are separate") {
  const auto both = outcome_of("printf out; printf err >&2");
  CHECK(both.out == "out");
  CHECK(both.err == "err");
  CHECK(outcome_of("head -c 3000000 /dev/zero").out == std::string(3'000'000, '\0'));
  CHECK(outcome_of("yes | head -c 500000 >&2; yes n | head -c 500000").err.size() == 500'000);
}

TEST_CASE("a command's stdin is empty, and it has no other descriptors of the worker") {
  CHECK(outcome_of("cat").out.empty());
  CHECK(outcome_of("readlink /proc/self/fd/0").out == "/dev/null\n");
  const int leaking = ::open("/dev/null", O_RDONLY);                                        // lacks O_CLOEXEC, as MPI's may
  CHECK(jobs::run_command({}, {1, {"ls", "/proc/self/fd"}, false}).out == "0\n1\n2\n3\n");  // 3 is the listed folder itself
  ::close(leaking);
}

TEST_CASE("a command does not inherit the variables of the launcher") {
  CHECK(jobs::is_of_launcher("OMPI_COMM_WORLD_RANK=1"));
  CHECK(jobs::is_of_launcher("PMIX_RANK=1"));
  CHECK(jobs::is_of_launcher("PRTE_X=1"));
  CHECK(jobs::is_of_launcher("RANKPOOL_INSIDE=1:x"));
  CHECK_FALSE(jobs::is_of_launcher("OMPI_ALLOW_RUN_AS_ROOT=1"));
  CHECK_FALSE(jobs::is_of_launcher("PATH=/bin"));
  for (const char* of_the_step : {"SLURM_HOSTFILE=/dev/fd/3", "SLURM_DISTRIBUTION=arbitrary", "SLURM_PROCID=1", "SLURM_LOCALID=0",
                                  "SLURM_NTASKS=3", "SLURM_NPROCS=3", "SLURM_OVERCOMMIT=1", "SLURM_STEP_ID=0", "SLURM_STEPID=0",
                                  "SLURM_STEP_NODELIST=n1", "SLURM_TASKS_PER_NODE=2", "SLURM_MPI_TYPE=pmix", "SLURM_CPU_BIND=none",
                                  "SLURM_PMIX_MAPPING_SERV=x", "SLURM_GTIDS=0,1", "SLURM_SRUN_COMM_PORT=1"}) {
    CHECK(jobs::is_of_launcher(of_the_step));
  }
  for (const char* of_the_allocation : {"SLURM_JOB_ID=1", "SLURM_JOBID=1", "SLURM_JOB_NODELIST=n1", "SLURM_NNODES=3",
                                        "SLURM_NODELIST=n1", "SLURM_SUBMIT_DIR=/", "SLURM_ARRAY_TASK_ID=1", "SLURM_CONF=/x"}) {
    CHECK_FALSE(jobs::is_of_launcher(of_the_allocation));
  }
  CHECK(outcome_of("env | grep -c -e ^OMPI_COMM -e ^PMIX_ -e ^OMPI_MCA_").out == "0\n");
}

TEST_CASE("a child process that keeps the pipe open does not delay the end of its command") {
  jobs::command_outcome outcome;
  const double seconds = seconds_of([&] { outcome = outcome_of("printf done; sleep 20 & echo $! >&2"); });
  CHECK(outcome.out == "done");
  CHECK(seconds < 10);
  const pid_t child = std::stoi(outcome.err);
  CHECK(::kill(child, SIGKILL) == 0);  // fails if the child has ended
}

TEST_CASE("a command that exceeds its time is ended with all its child processes") {
  for (const std::string line :
       {"sleep 20 & echo $!; wait", "trap '' TERM; sleep 20 & echo $!; wait; wait; sleep 20", "echo $$; kill -STOP $$"}) {
    jobs::command_outcome outcome;
    const double seconds = seconds_of([&] { outcome = outcome_of(line, 0.2); });
    CHECK(outcome.timed_out);
    CHECK(outcome.failed());
    CHECK(outcome.ended_by_us == "was ended after 0.2 s (--timeout)");
    CHECK(seconds < 10);
    const std::string state = "/proc/" + outcome.out.substr(0, outcome.out.find('\n')) + "/stat";
    for (int i = 0; i < 1000; ++i) {  // an orphan remains a zombie until init reaps it
      std::ifstream stat(state);
      std::string pid, name, letter;
      if (!(stat >> pid >> name >> letter) || letter == "Z") break;
      REQUIRE(i < 999);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  CHECK_FALSE(outcome_of("exit 0", 20).failed());
}

TEST_CASE("a shell reads a quoted word unchanged") {
  for (const std::string text : {"", " ", "it's", "a\"b", "$HOME `id` \\", "new\nline", "*", "~", "naïve ☃", "#x", "-n", "a=b"}) {
    CHECK(outcome_of("printf %s " + jobs::shell_quoted(text)).out == text);
  }
}
