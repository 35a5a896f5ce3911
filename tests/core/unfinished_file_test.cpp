// Signals remove unfinished files, and then have the effect that they had before. Each case runs in a process of its own.
#include <rankpool/unfinished_file.hpp>

#include "support/catch.hpp"
#include "support/scratch_directory.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace fs = std::filesystem;

namespace {

/// Runs `program` in a child process with default signal actions. Returns the exit status.
int status_of(const std::function<void()>& program) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
    program();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void exit_with_7(int) { ::_exit(7); }

}  // namespace

TEST_CASE("a signal removes all unfinished files of the process and ends it") {
  const support::scratch_directory folder;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const int status = status_of([&] {
      const rankpool::unfinished_file one(folder.file("one")), other(folder.file("other"));
      if (folder.files() == 2) std::raise(signal);
    });
    CHECK(status == 128 + signal);
    CHECK(folder.files() == 0);
  }
}

TEST_CASE("a signal to a process without unfinished files has its default action") {
  const support::scratch_directory folder;
  const int status = status_of([&] {
    { const rankpool::unfinished_file file(folder.file("one")); }
    std::raise(SIGTERM);
  });
  CHECK(status == -SIGTERM);
}

TEST_CASE("a handler that was there before is called after the files are removed") {
  const support::scratch_directory folder;
  const int status = status_of([&] {
    std::signal(SIGTERM, exit_with_7);
    const rankpool::unfinished_file file(folder.file("one"));
    std::raise(SIGTERM);
  });
  CHECK(status == 7);
  CHECK(folder.files() == 0);
}

TEST_CASE("a signal that is ignored removes nothing") {
  const support::scratch_directory folder;
  const int status = status_of([&] {
    std::signal(SIGHUP, SIG_IGN);  // as under nohup
    rankpool::unfinished_file file(folder.file("one"));
    std::raise(SIGHUP);
    file.finish(false);
  });
  CHECK(status == 0);
  CHECK(fs::exists(folder.file("one")));
}

TEST_CASE("a signal leaves finished files and those that a later run continues") {
  const support::scratch_directory folder;
  const int status = status_of([&] {
    rankpool::unfinished_file finished(folder.file("finished"));
    finished.finish(false);
    const rankpool::unfinished_file continued(folder.file("one"), folder.file("one.part-abc"));
    const rankpool::unfinished_file other(folder.file("other"));
    std::raise(SIGTERM);
  });
  CHECK(status == 128 + SIGTERM);
  CHECK(fs::exists(folder.file("finished")));
  CHECK(fs::exists(folder.file("one.part-abc")));
  CHECK(folder.files() == 2);
}

TEST_CASE("an unfinished file that a process with the same number left is not touched") {
  const support::scratch_directory folder;
  const std::string left = folder.file("out.part-" + std::to_string(::getpid()));
  std::ofstream(left) << "left";
  {
    rankpool::unfinished_file file(folder.file("out"));
    CHECK(file.path() == left + ".1");
    file.finish(false);
  }
  CHECK(fs::file_size(left) == 4);
  CHECK(folder.files() == 2);
}

TEST_CASE("a continued file that is discarded is removed") {
  const support::scratch_directory folder;
  { const rankpool::unfinished_file file(folder.file("out"), folder.file("out.part-abc")); }
  CHECK(folder.files() == 1);
  rankpool::unfinished_file(folder.file("out"), folder.file("out.part-abc")).discard();
  CHECK(folder.files() == 0);
}
