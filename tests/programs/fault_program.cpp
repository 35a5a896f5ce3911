// fault_program FAULT|all isolated|plain|own-mpi: a task with a fault runs between 50 ordinary tasks before it and 50 after it.
//
// Prints one line for the fault: what its future has, without the task, the rank and the host. Then checks that the ordinary tasks
// have their results. With "all", it does so for every fault. With "own-mpi", the program initialises MPI itself. README.md in this
// folder has a table of what the user sees.
#include <rankpool/rankpool.hpp>

#include <boost/mpi/communicator.hpp>
#include <boost/mpi/environment.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csetjmp>
#include <csignal>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t memory_limit = 64 << 20;

// Volatile, so that the compiler neither warns of the faults nor removes them.
volatile bool is_endless = true;
int* volatile nowhere = nullptr;
std::jmp_buf point_in_task;
std::jmp_buf point_in_main;

int square(int n) { return n * n; }

[[noreturn]] void sleep_for_ever() {
  for (;;) pause();
}

// ---- the faults

int segfault() { return *nowhere; }

int abort_now() { std::abort(); }

int exit_with(int status) { std::exit(status); }

int exec() {
  (void)execl("/bin/true", "true", nullptr);
  return 0;
}

int terminate() { std::terminate(); }

struct throws_at_its_end {
  ~throws_at_its_end() noexcept(false) { throw std::runtime_error("second"); }
};

int throw_while_unwinding() {
  const throws_at_its_end object;
  throw std::runtime_error("first");
}

int recurse(int depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(depth);
  return is_endless ? recurse(depth + 1) + frame[0] : 0;
}
int overflow_stack() { return recurse(0); }

int free_twice() {
  void* volatile memory = std::malloc(100);
  void* volatile same = memory;
  std::free(memory);
  std::free(same);
  return 0;
}

int overwrite_heap() {
  char* volatile memory = static_cast<char*>(std::malloc(100));
  volatile char* volatile before = memory - sizeof(std::size_t);  // the size of the chunk
  for (std::size_t i = 0; i < sizeof(std::size_t); ++i) before[i] = 'x';
  std::free(memory);
  return 0;
}

int crash_in_thread() {
  std::thread([] { *nowhere = 1; }).join();
  return 0;
}

int loop() {
  while (is_endless) {
  }
  return 0;
}

int sleep_task() { sleep_for_ever(); }

int stop_itself() {
  raise(SIGSTOP);
  return 0;
}

int block_signals() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sleep_for_ever();
}

int allocate(bool limits_itself) {
  if (limits_itself) {  // stands for the user's ulimit -d: without a limit, the kernel would have to kill a process of this machine
    rlimit limit{};
    getrlimit(RLIMIT_DATA, &limit);
    limit.rlim_cur = std::size_t{1} << 30;
    setrlimit(RLIMIT_DATA, &limit);
  }
  std::vector<std::unique_ptr<std::vector<char>>> memory;
  while (is_endless) memory.push_back(std::make_unique<std::vector<char>>(1 << 20, 'x'));
  return 0;
}

int close_descriptors() {
  for (int d = 0; d < 1024; ++d) close(d);
  return 0;
}

int kill_parent() {
  kill(getppid(), SIGKILL);
  sleep_for_ever();
}

int kill_group() {
  kill(0, SIGKILL);
  return 0;
}

// Ends by itself, because nothing else ends it in a run without isolation.
[[noreturn]] void sleep_and_end(unsigned seconds) {
  alarm(seconds);
  sleep_for_ever();
}

int leave_daemon(unsigned seconds) {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const int null = open("/dev/null", O_RDWR);
    for (int d = 0; d < 3; ++d) dup2(null, d);
    if (fork() == 0) sleep_and_end(seconds);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  return 0;
}

int leave_children(unsigned seconds) {
  for (int n = 0; n < 50; ++n) {
    if (fork() == 0) sleep_and_end(seconds);
  }
  return 50;
}

/// Leaves a child, a process in a session of its own, and an orphan, all with the streams of the rank.
int leave_processes() {
  for (const bool has_session : {false, true}) {
    if (fork() != 0) continue;
    if (has_session) setsid();
    sleep_and_end(600);
  }
  const pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) sleep_and_end(600);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  return 3;
}

/// Leaves an orphan in a session of its own, with the streams of the rank.
int leave_orphan() {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() == 0) sleep_and_end(600);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  return 1;
}

/// The child returns from the task, as its parent does.
int fork_and_return() {
  const pid_t child = fork();
  if (child > 0) waitpid(child, nullptr, 0);
  return child > 0 ? 1 : 2;
}

int forbid_processes() {
  rlimit none{0, 0};
  setrlimit(RLIMIT_NPROC, &none);
  if (const pid_t child = fork(); child == 0) {  // does not fail for root
    _exit(0);
  } else if (child > 0) {
    waitpid(child, nullptr, 0);
  }
  return 0;
}

/// Jumps to where an earlier call, which has returned, has set the point.
int jump_to_task(bool jumps) {
  if (jumps) std::longjmp(point_in_task, 1);
  return setjmp(point_in_task) == 0 ? 1 : 2;
}

int jump_to_main() { std::longjmp(point_in_main, 1); }

// ---- the program

using future = rankpool::future<int>;

struct caller {
  rankpool::executor& pool;
  rankpool::task_options limits;
  bool is_isolated;

  template <class... Args>
  future submit(Args... args) const {
    return pool.submit(limits, args...);
  }
};

struct fault {
  const char* name;
  future (*submit)(const caller& by);
  bool is_endless = false;
  bool needs_memory_limit = false;
  bool needs_one_worker = false;
};

template <auto Task>
future submit(const caller& by) {
  return by.submit(Task);
}

const fault faults[] = {
    {"segfault", submit<segfault>},
    {"abort", submit<abort_now>},
    {"exit-0", [](const caller& by) { return by.submit(exit_with, 0); }},
    {"exit-3", [](const caller& by) { return by.submit(exit_with, 3); }},
    {"exec", submit<exec>},
    {"terminate", submit<terminate>},
    {"throw-while-unwinding", submit<throw_while_unwinding>},
    {"stack-overflow", submit<overflow_stack>},
    {"double-free", submit<free_twice>},
    {"heap-overwritten", submit<overwrite_heap>},
    {"thread-crashes", submit<crash_in_thread>},
    {"endless-loop", submit<loop>, true},
    {"sleep", submit<sleep_task>, true},
    {"stopped", submit<stop_itself>, true},
    {"signals-blocked", submit<block_signals>, true},
    {"memory", [](const caller& by) { return by.submit(allocate, !by.is_isolated); }, false, true},
    {"descriptors-closed", submit<close_descriptors>},
    {"kill-parent", submit<kill_parent>},
    {"kill-group", submit<kill_group>},
    {"daemon", [](const caller& by) { return by.submit(leave_daemon, by.is_isolated ? 600U : 2U); }},
    {"children", [](const caller& by) { return by.submit(leave_children, by.is_isolated ? 600U : 1U); }},
    {"processes-stay", submit<leave_processes>},
    {"orphan-stays", submit<leave_orphan>},
    {"fork-returns", submit<fork_and_return>},
    {"no-processes", submit<forbid_processes>},
    {"longjmp-to-task",
     [](const caller& by) {
       (void)by.submit(jump_to_task, false).result();
       return by.submit(jump_to_task, true);
     },
     false, false, true},
    {"longjmp-to-main", submit<jump_to_main>},
};

/// Returns the message in one line, without its beginning, which names the task, the rank and the host.
std::string in_one_line(std::string text) {
  if (const auto end = text.find(" failed: "); text.starts_with("task ") && end != std::string::npos) text.erase(0, end + 9);
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, " / ");
  return text;
}

std::string outcome(const future& task) {
  std::string line;
  try {
    const int value = task.result();
    line.append("value ").append(std::to_string(value));
  } catch (const rankpool::worker_lost& e) {
    line.append("worker_lost: ").append(in_one_line(e.what()));
  } catch (const rankpool::timeout_error& e) {
    line.append("timeout_error: ").append(in_one_line(e.what()));
  } catch (const std::bad_alloc& e) {
    line.append("bad_alloc");
  } catch (const std::exception& e) {
    line.append("another exception: ").append(in_one_line(e.what()));
  }
  return line;
}

std::vector<future> submit_squares(rankpool::executor& pool) {
  std::vector<future> tasks;
  for (int n = 0; n < 50; ++n) tasks.push_back(pool.submit(square, n));
  return tasks;
}

bool are_squares(const std::vector<future>& tasks) {
  for (std::size_t n = 0; n < tasks.size(); ++n) {
    if (tasks[n].result() != square(static_cast<int>(n))) return false;
  }
  return true;
}

/// Returns whether the other tasks have their results, and the pool computes afterwards.
bool run_fault(rankpool::executor& pool, const fault& f, const rankpool::task_options& limits, bool is_isolated) {
  const auto before = submit_squares(pool);
  const future task = f.submit({pool, limits, is_isolated});
  const auto after = submit_squares(pool);
  std::cout << f.name << ": " << outcome(task) << std::endl;
  if (are_squares(before) && are_squares(after) && are_squares(submit_squares(pool))) return true;
  std::cout << f.name << ": the other tasks have wrong results" << std::endl;
  return false;
}

bool run_fault(rankpool::cluster& cluster, const fault& f, bool is_isolated) {
  rankpool::executor_options options;
  rankpool::task_options limits;
  if (f.needs_one_worker) options.max_workers = 1;
  if (is_isolated) {
    options.isolation = rankpool::isolation::process;
    if (f.is_endless) limits.timeout = 200ms;
    if (f.needs_memory_limit) options.memory_limit_bytes = memory_limit;
  }
  rankpool::executor pool(cluster, options);
  return run_fault(pool, f, limits, is_isolated);
}

int run_with_own_mpi(int argc, char** argv, std::string_view name) {
  const boost::mpi::environment mpi(argc, argv, boost::mpi::threading::multiple);
  const boost::mpi::communicator world;
  rankpool::with_executor(world, 0, [&](rankpool::executor& pool) {
    for (const fault& f : faults) {
      if (name == f.name) (void)run_fault(pool, f, {}, false);
    }
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view name = argv[1];
  const bool is_isolated = std::string_view(argv[2]) == "isolated";
  if (setjmp(point_in_main) != 0) return 4;
  if (std::string_view(argv[2]) == "own-mpi") return run_with_own_mpi(argc, argv, name);
  return rankpool::run(argc, argv, [&](rankpool::cluster& cluster) {
    int chosen = 0;
    bool is_right = true;
    for (const fault& f : faults) {
      if (name != f.name && name != "all") continue;
      ++chosen;
      is_right = run_fault(cluster, f, is_isolated) && is_right;
    }
    return chosen > 0 && is_right ? 0 : 1;
  });
}
