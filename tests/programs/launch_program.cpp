// launch_program [arguments ARGUMENT... | shell COMMAND | task-shell COMMAND | task-forks | task-waits | task-prints N | copy |
// line | terminals | workers | waits-after-run FIFO | cleans-up FIFO]: prints the arguments and the streams of a program that run()
// starts, and runs commands from the program and from tasks.
#include <rankpool/rankpool.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

int square(int n) { return n * n; }

int shell(const std::string& command) {
  std::fflush(stdout);
  return WEXITSTATUS(std::system(command.c_str()));
}

/// Returns the status of a child that calls exit().
int fork_and_exit(int status) {
  const pid_t child = fork();
  if (child == 0) std::exit(status);
  int ended = 0;
  waitpid(child, &ended, 0);
  return WEXITSTATUS(ended);
}

int print_lines(int n) {
  for (int i = 0; i < n; ++i) std::fprintf(i % 2 == 0 ? stdout : stderr, "line %d\n", i);
  std::fflush(stdout);
  return 0;
}

/// Takes 0.3 s to clean up after SIGTERM.
void clean_up_on_termination() {
  std::signal(SIGTERM, [](int) {
    usleep(300'000);
    (void)!write(STDOUT_FILENO, "cleaned up\n", 11);
    std::_Exit(0);
  });
}

/// Copies stdin to stdout, up to the end of the line or of the input. Returns false if stdin cannot be read.
bool copy_input(bool one_line) {
  char byte = 0;
  ssize_t got = 0;
  while ((got = read(STDIN_FILENO, &byte, 1)) == 1) {
    std::putchar(byte);
    if (one_line && byte == '\n') break;
  }
  return got >= 0;
}

int wait_for_ever(int n) {
  for (;;) pause();
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const int status = rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    if (what == "waits-after-run") return 75;
    if (what == "cleans-up") {
      clean_up_on_termination();
      std::ofstream(argv[2]) << getpid() << std::endl;
      pause();
    }
    if (what == "workers") return cluster.num_workers();
    std::printf("%d workers: %d\n", cluster.num_workers(), pool.submit(square, 3).result());
    if (what == "arguments") {
      for (int i = 2; i < argc; ++i) std::printf("[%s]\n", argv[i]);
    }
    if (what == "shell") return shell(argv[2]);
    if (what == "task-shell") return pool.submit(shell, std::string(argv[2])).result();
    if (what == "task-forks") return pool.submit(fork_and_exit, 0).result();
    if (what == "task-prints") return pool.submit(print_lines, std::atoi(argv[2])).result();
    if (what == "copy" || what == "line") {
      std::fflush(stdout);  // a test waits for this line before it writes
      return copy_input(what == "line") ? 0 : 3;
    }
    if (what == "terminals") std::printf("%d%d%d\n", isatty(STDIN_FILENO), isatty(STDOUT_FILENO), isatty(STDERR_FILENO));
    if (what == "task-waits") {
      std::fflush(stdout);
      return pool.submit(wait_for_ever, 0).result();
    }
    return 0;
  });
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (what == "waits-after-run" && rank != nullptr) {
    if (std::string(rank) == "0") std::ofstream(argv[2]) << "run() has returned\n";
    wait_for_ever(0);  // workers as well, because mpirun ends rank 0 when one of them ends with a status other than 0
  }
  return status;
}
