// How far a job is, on stderr: a bar that redraws itself on a terminal, else a line every ten seconds.
//
// What is done is counted by the pool. A job says how much there is to do, if it knows, and what has failed. A total is shown only
// while no more than that is done. Nothing is shown in the first second (terminal) or ten, nor with --quiet.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace jobs {

class progress {
 public:
  /// So many tasks will be done in all. From any thread, as all that follows.
  void expect(std::uint64_t tasks) {
    const std::lock_guard lock(mutex_);
    counts_.expected = tasks;
  }
  /// For a job whose tasks differ much: how much is done and how much there is, in units of its own.
  void set(std::uint64_t done, std::uint64_t all) {
    const std::lock_guard lock(mutex_);
    counts_ = {done, all};
    counts_itself_ = true;
  }
  /// For a job that may run a task more than once: one of those that are expected is done.
  void count_done() {
    const std::lock_guard lock(mutex_);
    ++counts_.done;
    counts_itself_ = true;
  }
  void count_failure() { failed_.fetch_add(1, std::memory_order_relaxed); }

  /// Starts to show it; `tasks_done` is called from another thread. Ends in stop().
  void start(std::string job, std::function<std::uint64_t()> tasks_done);
  void stop();
  /// Before something else is printed: takes a bar off a terminal that both share.
  void make_way();
  ~progress() { stop(); }

  progress() = default;
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// What would be shown, without colours or control characters, after so long; for tests too.
  static std::string text(std::uint64_t done, std::uint64_t expected, std::uint64_t failed, std::chrono::duration<double> passed);

 private:
  struct counts {
    std::uint64_t done = 0;
    std::uint64_t expected = 0;  // 0: not known

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
  counts counts_;               // together: a bar never shows the one of two units with the other's total
  bool counts_itself_ = false;  // counts_.done is the job's own
  std::condition_variable stops_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jobs
