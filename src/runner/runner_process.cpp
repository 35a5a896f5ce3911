// Defines the loop of a runner process, and its limits.
#include "runner/runner_process.hpp"

#include "call/item_scope.hpp"
#include "codec/runner_errors.hpp"
#include "runner/answer_log.hpp"
#include "runner/growing_memory.hpp"
#include "runner/in_process_runner.hpp"
#include "runner/request.hpp"
#include "runner/share_log.hpp"

#include <rankpool/detail/codec/exception_codec.hpp>
#include <rankpool/detail/wire/worker_place.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>

namespace rankpool::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_answer_bytes = 8 << 20;

void flush_output() {
  std::fflush(stdout);
  std::cout.flush();
}

// The kernel kills this process first when memory runs out, not the rank.
void be_first_victim() { std::ofstream("/proc/self/oom_score_adj") << "1000"; }

// Returns the size of this process's private data, in bytes.
std::uint64_t data_bytes() {
  std::ifstream in("/proc/self/status");
  for (std::string name; in >> name;) {
    std::uint64_t kilobytes = 0;
    if (name == "VmData:" && in >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

void limit_memory(std::uint64_t bytes) {
  if (bytes == 0) return;
  rlimit limit{};
  getrlimit(RLIMIT_DATA, &limit);
  const rlim_t wanted = data_bytes() + bytes;
  if (limit.rlim_max == RLIM_INFINITY || wanted < limit.rlim_max) limit.rlim_cur = wanted;
  setrlimit(RLIMIT_DATA, &limit);
  report_memory_limit(bytes);
}

class runner {
 public:
  explicit runner(runner_control& control)
      : control_(control),
        requests_(control.rank_pid, control.requests_descriptor),
        log_(control.rank_pid, control.answers_descriptor),
        shares_memory_(control.rank_pid, control.shares_descriptor),
        shares_(shares_memory_),
        place_{control.rank, control.host.data()},
        tasks_(place_),
        answers_(control, log_, [this] { retire(); }) {}

  [[noreturn]] void serve() {
    for (;;) {
      const std::uint32_t request = await_request();
      answers_.release();
      if (is_retiring_) retire();
      run_batch();
      note_cpu_time();
      control_.finished.store(request);
      control_.notify_rank();
    }
  }

 private:
  std::uint32_t await_request() {
    for (;;) {
      const std::uint32_t request = control_.requests.load();
      if (control_.ends) end();
      if (request != control_.finished.load()) return request;
      if (look(control_.requests, request)) continue;
      control_.runner_waits.store(1);
      if (control_.requests.load() == request && !control_.ends) futex_wait(control_.requests, request, 10s);
    }
  }

  void run_batch() {
    shares_.pull();
    const request_reader batch(requests_.map(control_.request_bytes), control_.request_bytes);
    if (!is_initialized_) {
      is_initialized_ = initialize(batch);
      if (!is_initialized_) return;
    }
    if (control_.answered_bytes == 0) log_.shrink();
    if (control_.resumes) run(batch, control_.resumed_call, control_.resumed_item);
    // Claims no further call once the answers take much memory, or once the rank must read blocks from this process. The rank then
    // reads the answers, and requests the rest of the batch.
    while (control_.answered_bytes < most_answer_bytes && answers_.held_bytes() == 0 && !is_retiring_) {
      const std::uint32_t next = control_.claimed.fetch_add(1);
      if (next >= control_.count) return;
      run(batch, next, 0);
    }
  }

  bool initialize(const request_reader& batch) {
    const received_call initializer = batch.initializer();
    task_runner::answer a;
    if (initializer.call.function.module != 0) a = tasks_.run(initializer.call);
    flush_output();
    answers_.end_initializer(a);
    return !a.threw;
  }

  void run(const request_reader& batch, std::uint32_t index, std::uint64_t first_item) {
    const auto begin = std::chrono::steady_clock::now();
    task_runner::answer a;
    bool is_timed = true;
    try {
      const received_call received = batch.call(index);
      is_timed = received.call.limits.timeout_milliseconds != task_limits::no_timeout;
      answers_.begin_call(index, first_item, is_timed);
      const item_scope scope(&answers_);
      a = tasks_.run(received.call);
    } catch (...) {  // the arguments cannot be received
      a = {};
      a.threw = true;
      byte_writer out(a.bytes);
      encode_current_exception(out);
    }
    flush_output();
    answers_.end_call(a, std::max(std::chrono::steady_clock::now() - begin, std::chrono::steady_clock::duration(1)));
    const std::uint32_t max_tasks = control_.settings.max_tasks;
    const bool is_worn = max_tasks > 0 && answers_.started() >= max_tasks;
    if (is_worn || has_exceeded_memory() || lost_output()) retire();
  }

  static int open_outputs() { return (fcntl(STDERR_FILENO, F_GETFD) >= 0 ? 1 : 0) + (fcntl(STDOUT_FILENO, F_GETFD) >= 0 ? 1 : 0); }
  // A task may have closed the descriptors.
  bool lost_output() const { return open_outputs() < outputs_at_start_; }

  void note_cpu_time() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    control_.cpu_nanoseconds.store(static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 +
                                   static_cast<std::uint64_t>(used.tv_nsec));
  }

  // Ends this process, which the rank replaces if there is more to do. If the rank still has to read from it, it ends after that.
  void retire() {
    if (answers_.held_bytes() > 0) {
      is_retiring_ = true;
      return;
    }
    note_cpu_time();
    control_.retires.store(true);
    end();
  }

  // Without exit handlers and static destructors, because the rank has the same.
  [[noreturn]] static void end() {
    flush_output();
    _exit(0);
  }

  runner_control& control_;
  growing_memory requests_;
  growing_memory log_;
  growing_memory shares_memory_;
  share_reader shares_;
  const worker_place place_;
  in_process_runner tasks_;
  answer_writer answers_;
  const int outputs_at_start_ = open_outputs();
  bool is_initialized_ = false;
  bool is_retiring_ = false;
};

}  // namespace

void run_calls(runner_control& control) {
  try {
    be_first_victim();
    limit_memory(control.settings.memory_bytes);
    static runner here(control);  // static: a task may unwind or leave this stack
    here.serve();
  } catch (const std::exception& e) {
    const std::string line = std::string("rankpool: a runner process cannot go on: ") + e.what() + "\n";
    (void)!write(STDERR_FILENO, line.data(), line.size());
  } catch (...) {
  }
  _exit(1);
}

}  // namespace rankpool::detail
