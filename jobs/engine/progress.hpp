// Shows progress on stderr: a bar on a terminal, otherwise a line every ten seconds.
//
// The pool counts finished tasks. A job announces the total, if it knows it, and reports failures. The total is hidden when more
// tasks are done. Nothing is shown in the first second (on a terminal), in the first ten seconds (otherwise), or with --quiet.
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

namespace jobs {

class progress {
 public:
  /// Announces the number of tasks. Thread safety: any thread may call this, set() and count_...().
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

  /// Returns how many of the announced tasks are left after `done` are done; empty if that is unknown.
  std::optional<std::uint64_t> left(std::uint64_t done);

  /// Starts to show progress, until stop(). Another thread calls `tasks_done`, which returns the number of finished tasks.
  void start(std::string job, std::function<std::uint64_t()> tasks_done);
  void stop();
  /// Erases the bar, so that other text can be printed on the terminal.
  void make_way();
  ~progress() { stop(); }

  progress() = default;
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Returns the progress text for the elapsed time `passed`, without control characters.
  static std::string text(std::uint64_t done, std::uint64_t expected, std::uint64_t failed, std::chrono::duration<double> passed);

 private:
  struct counts {
    std::uint64_t done = 0;
    std::uint64_t expected = 0;  // 0: unknown

    bool has_total() const { return expected > 0 && done <= expected; }
  };

  void show_lines();
  void show_bar();
  counts current();
  bool wait(std::chrono::milliseconds time);

  std::string job_;
  std::function<std::uint64_t()> tasks_done_;
  std::atomic<std::uint64_t> failed_ = 0;
  std::chrono::steady_clock::time_point begin_;
  bool on_terminal_ = false;
  bool bar_is_there_ = false;
  std::mutex mutex_;
  counts counts_;               // one struct, so that a bar never mixes the units of two counts
  bool counts_itself_ = false;  // the job sets counts_.done
  std::condition_variable stops_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jobs
