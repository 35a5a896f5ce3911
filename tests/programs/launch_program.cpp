// launch_program [arguments ARGUMENT... | shell COMMAND | task-shell COMMAND | task-forks | task-waits]: run() seen from what it
// was started with, and from what its program and its tasks start.
#include <rankpool/rankpool.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int square(int n) { return n * n; }

int shell(const std::string& command) {
  std::fflush(stdout);
  return WEXITSTATUS(std::system(command.c_str()));
}

/// The status of a child that ends as a program does, by exit().
int fork_and_exit(int status) {
  const pid_t child = fork();
  if (child == 0) std::exit(status);
  int ended = 0;
  waitpid(child, &ended, 0);
  return WEXITSTATUS(ended);
}

int wait_for_ever(int n) {
  for (;;) pause();
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    rankpool::executor pool(cluster);
    std::printf("%d workers: %d\n", cluster.num_workers(), pool.submit(square, 3).result());
    if (what == "arguments") {
      for (int i = 2; i < argc; ++i) std::printf("[%s]\n", argv[i]);
    }
    if (what == "shell") return shell(argv[2]);
    if (what == "task-shell") return pool.submit(shell, std::string(argv[2])).result();
    if (what == "task-forks") return pool.submit(fork_and_exit, 0).result();
    if (what == "task-waits") {
      std::fflush(stdout);
      return pool.submit(wait_for_ever, 0).result();
    }
    return 0;
  });
}
