// The progress of a run: what is done of how much, and how fast. Shows it on stderr: a bar on a terminal, otherwise a line every
// ten seconds.
//
// The pool counts finished tasks. A job announces the total, if it knows it, and reports failures. The total is hidden when more
// tasks are done. A bar leaves out the figures that do not fit into the terminal. Nothing is shown in the first second (on a
// terminal), in the first ten seconds (otherwise), or with --quiet.
//
// The rate, and with it the remaining time, is that of about the last ten seconds, or of the last five tasks of each worker if
// these take longer. In the beginning, it is that of the whole run. The busy share of the workers is smoothed likewise.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/run_figures.hpp"
#include "engine/smoothed_rate.hpp"

namespace jobs {

class progress {
 public:
  /// What the pool counts.
  struct pool_counts {
    std::uint64_t tasks = 0;  // finished by workers
    std::uint64_t restored = 0;
    std::uint64_t retries = 0;
    int workers = 0;  // including lost ones
    int workers_lost = 0;
    double busy_seconds = 0;  // of all workers
  };

  /// Announces the number of tasks. Thread safety: any thread may call this, set(), figures() and count_...().
  void expect(std::uint64_t tasks) {
    const std::lock_guard lock(mutex_);
    counts_.expected = tasks;
  }
  /// Sets the amount done and the total, in units of the job. For jobs whose tasks differ much in cost.
  void set(std::uint64_t done, std::uint64_t all) {
    const std::lock_guard lock(mutex_);
    counts_ = {done, all};
    counts_itself_ = true;
  }
  /// Counts one of the announced tasks as done. For jobs that may run a task several times.
  void count_done() {
    const std::lock_guard lock(mutex_);
    ++counts_.done;
    counts_itself_ = true;
  }
  void count_failure() { failed_.fetch_add(1, std::memory_order_relaxed); }
  /// Counts attempts that the job itself has repeated. The pool counts those of its own.
  void count_retries(std::uint64_t attempts) { retried_.fetch_add(attempts, std::memory_order_relaxed); }

  /// Returns how many of the announced tasks are left after `done` are done; empty if that is unknown.
  std::optional<std::uint64_t> left(std::uint64_t done);

  /// Begins to count the time. Other threads call `pool` until the end of this object.
  void start(std::string job, std::function<pool_counts()> pool);
  /// Shows the progress on stderr until stop(). Requires start().
  void show();
  void stop();
  /// Erases the bar, so that other text can be printed on the terminal.
  void make_way();
  ~progress() { stop(); }

  progress() = default;
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Returns the progress at this moment. Requires start().
  run_figures figures();

 private:
  struct counts {
    std::uint64_t done = 0;
    std::uint64_t expected = 0;  // 0: unknown
  };

  void show_lines();
  void show_bar();
  bool wait(std::chrono::milliseconds time);

  std::string job_;
  std::function<pool_counts()> pool_;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> retried_ = 0;
  std::chrono::steady_clock::time_point begin_;
  bool on_terminal_ = false;
  bool bar_is_there_ = false;
  std::mutex mutex_;
  counts counts_;               // one struct, so that a bar never mixes the units of two counts
  bool counts_itself_ = false;  // the job sets counts_.done
  smoothed_rate rate_;
  smoothed_rate busy_;
  std::condition_variable stops_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jobs
