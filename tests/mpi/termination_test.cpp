// The note that a process leaves about its end, and the watch that notices the end.
#include "mpi/termination.hpp"
#include "mpi/process_watch.hpp"
#include "support/catch.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <new>

namespace {

using rankpool::detail::process_watch;
using rankpool::detail::termination;
using rankpool::detail::termination_note;
using namespace std::chrono_literals;

/// A word of memory that this process shares with its children.
class shared_word {
 public:
  shared_word()
      : word_(new (mmap(nullptr, sizeof(std::atomic<std::uint32_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                  std::atomic<std::uint32_t>(0)) {}
  shared_word(const shared_word&) = delete;
  shared_word& operator=(const shared_word&) = delete;
  ~shared_word() { munmap(word_, sizeof *word_); }
  std::atomic<std::uint32_t>& get() { return *word_; }

 private:
  std::atomic<std::uint32_t>* word_;
};

/// Starts a child that ends as `end` does, and returns what it has noted.
template <class End>
termination noted(End end) {
  shared_word word;
  const pid_t child = fork();
  if (child == 0) {
    for (const int signal : {SIGTERM, SIGSEGV, SIGABRT, SIGPIPE})
      std::signal(signal, SIG_DFL);  // not the handlers of the test framework
    const termination_note note(word.get());
    end();
    _exit(9);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return termination::decoded(word.get());
}

/// Collects the events of a watch.
class events {
 public:
  process_watch::listener listener() {
    return [this](pid_t process, process_watch::event what) {
      const std::lock_guard lock(mutex_);
      seen_[process] = what;
      changed_.notify_all();
    };
  }
  /// Blocks: until there is an event of the process, at most a minute.
  process_watch::event of(pid_t process) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, 1min, [&] { return seen_.contains(process); }));
    return seen_[process];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<pid_t, process_watch::event> seen_;
};

pid_t start_sleeper() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  return child;
}

void end(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("a process that a signal ends notes the signal") {
  CHECK(noted([] { raise(SIGTERM); }).signal == SIGTERM);
  CHECK(noted([] { raise(SIGSEGV); }).signal == SIGSEGV);
  CHECK(noted([] { std::abort(); }).description() == "was ended by signal 6 (Aborted)");
}

TEST_CASE("a process that exits notes its status, also 0") {
  const termination end = noted([] {
    termination_note::leave({.exit_status = 0, .is_known = true});
    _exit(0);
  });
  CHECK(end.is_known);
  CHECK(end.description() == "exited with status 0");
}

TEST_CASE("a process that is killed or calls _exit() notes nothing") {
  CHECK_FALSE(noted([] { raise(SIGKILL); }).is_known);
  CHECK_FALSE(noted([] { _exit(3); }).is_known);
}

TEST_CASE("a process that a task forks does not leave the note of its parent") {
  const termination end = noted([] {
    const pid_t child = fork();
    if (child == 0) raise(SIGTERM);
    waitpid(child, nullptr, 0);
  });
  CHECK_FALSE(end.is_known);
}

TEST_CASE("a broken connection does not end the process, a broken output does") {
  const auto write_to_closed_pipe = [](int as) {
    return [as] {
      std::array<int, 2> ends{};
      if (pipe(ends.data()) != 0) _exit(1);
      close(ends[0]);
      if (as >= 0) dup2(ends[1], as);
      (void)!write(as >= 0 ? as : ends[1], "x", 1);
      termination_note::leave({.exit_status = 0, .is_known = true});
      _exit(0);
    };
  };
  CHECK(noted(write_to_closed_pipe(-1)).signal == 0);
  CHECK(noted(write_to_closed_pipe(STDOUT_FILENO)).signal == SIGPIPE);
}

TEST_CASE("a signal that the program ignores leaves no note and stays ignored") {
  shared_word word;
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGTERM, SIG_IGN);
    const termination_note note(word.get());
    raise(SIGTERM);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(word.get() == 0);
}

TEST_CASE("the watch reports a process that ends, and not one that runs on") {
  const pid_t first = start_sleeper();
  const pid_t second = start_sleeper();
  events seen;
  {
    const process_watch watch({first, second}, seen.listener());
    end(first);
    CHECK(seen.of(first) == process_watch::event::ended);
    end(second);
    CHECK(seen.of(second) == process_watch::event::ended);
  }
}

TEST_CASE("the watch reports a process that had ended before") {
  const pid_t child = start_sleeper();
  end(child);
  events seen;
  const process_watch watch({child}, seen.listener());
  CHECK(seen.of(child) == process_watch::event::ended);
}

TEST_CASE("the watch reports a process that stays stopped") {
  const pid_t child = start_sleeper();
  events seen;
  {
    const process_watch watch({child}, seen.listener(), 1s);
    kill(child, SIGSTOP);
    CHECK(seen.of(child) == process_watch::event::stopped);
  }
  end(child);
}

TEST_CASE("the watch reports a process that runs another program") {
  std::array<int, 2> may_exec{};
  REQUIRE(pipe(may_exec.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    (void)!read(may_exec[0], &byte, 1);
    execlp("sleep", "sleep", "60", nullptr);
    _exit(1);
  }
  events seen;
  {
    const process_watch watch({child}, seen.listener());
    (void)!write(may_exec[1], "x", 1);
    CHECK(seen.of(child) == process_watch::event::replaced);
  }
  end(child);
}
