// Exit handlers that shut down the pools of this process, or report that a task ended it.
#include "mpi/process_exit.hpp"

#include "mpi/left_processes.hpp"
#include "mpi/termination.hpp"
#include "support/log.hpp"

#include <mpi.h>

#include <stdlib.h>  // on_exit
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

namespace rankpool::detail {
namespace {

std::mutex mutex;
std::vector<const serving*> active_workers;
std::vector<const leading*> active_leaders;
pid_t owning_process = 0;  // the owner of the pools; a forked child must not shut them down

std::atomic<bool> skips_finalization = false;

constexpr auto time_for_end = std::chrono::seconds(10);

void finalize_mpi() {
  if (skips_finalization) return;
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (initialized != 0 && finalized == 0) MPI_Finalize();
}

void on_process_exit(int status, const char* function) {
  if (getpid() != owning_process) return;
  std::unique_lock lock(mutex);
  if (!active_workers.empty()) {
    termination_note::leave({.exit_status = status, .is_known = true});
    log_line(active_workers.back()->name() + " exited while it served the pool: a task called " + function +
             "(); a task must return or throw");
    return;
  }
  if (active_leaders.empty()) return;
  for (auto pool = active_leaders.rbegin(); pool != active_leaders.rend(); ++pool) (*pool)->end(status);
  finalize_mpi();
  lock.release();  // stays locked, so that ~leading() blocks
}

// Registers the exit handlers once. The caller holds the mutex.
void handle_exit() {
  owning_process = getpid();
  static const bool handled = [] {
    ::on_exit([](int status, void*) { on_process_exit(status, "exit"); }, nullptr);  // atexit() handlers do not get the status
    std::at_quick_exit([] { on_process_exit(0, "quick_exit"); });
    return true;
  }();
  (void)handled;
}

}  // namespace

void skip_finalization() { skips_finalization = true; }
bool is_finalization_skipped() { return skips_finalization; }

void ending_limit::start() {
  thread_ = std::jthread([](const std::stop_token& ended) {
    std::mutex waiting;
    std::unique_lock lock(waiting);
    std::condition_variable_any().wait_for(lock, ended, time_for_end, [] { return false; });
    if (ended.stop_requested()) return;
    std::fflush(nullptr);
    std::_Exit(0);
  });
}

serving::serving(std::string name) : name_(std::move(name)) {
  const std::lock_guard lock(mutex);
  handle_exit();
  active_workers.push_back(this);
}

serving::~serving() {
  const std::lock_guard lock(mutex);
  std::erase(active_workers, this);
}

leading::leading(std::function<void(int status)> end) : end_(std::move(end)) {
  const std::lock_guard lock(mutex);
  handle_exit();
  active_leaders.push_back(this);
}

leading::~leading() {
  const std::lock_guard lock(mutex);
  std::erase(active_leaders, this);
}

void exit_as_worker(bool in_task) {
  {
    const std::lock_guard lock(mutex);
    active_workers.clear();
  }
  finalize_mpi();
  if (!in_task) end_left_processes();  // takes time in which the task could call MPI
  // The status is 0, not rank 0's: on any other status the launcher kills the other ranks, while rank 0 still runs its handlers.
  if (in_task) std::_Exit(0);
  std::exit(0);
}

}  // namespace rankpool::detail
