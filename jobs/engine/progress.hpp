// Progress on stderr: a bar on a terminal, else a line every ten seconds.
//
// The pool counts finished tasks. A job announces the number of tasks, if it knows it, and reports failures. A total is shown only
// while no more tasks than that are done. Nothing is shown in the first second (terminal) or the first ten, and with --quiet.
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
  /// Announces the number of tasks. Thread safety: any thread may call any member.
  void expect(std::uint64_t tasks) {
    const std::lock_guard lock(mutex_);
    counts_.expected = tasks;
  }
  /// For a job whose tasks differ much: the amount done and the total, in units of the job.
  void set(std::uint64_t done, std::uint64_t all) {
    const std::lock_guard lock(mutex_);
    counts_ = {done, all};
    counts_itself_ = true;
  }
  /// For a job that may run a task more than once: counts one of the expected tasks as done.
  void count_done() {
    const std::lock_guard lock(mutex_);
    ++counts_.done;
    counts_itself_ = true;
  }
  void count_failure() { failed_.fetch_add(1, std::memory_order_relaxed); }

  /// Starts to show progress, until stop(). `tasks_done` returns the number of finished tasks; another thread calls it.
  void start(std::string job, std::function<std::uint64_t()> tasks_done);
  void stop();
  /// Removes the bar, so that something else can be printed on the terminal.
  void make_way();
  ~progress() { stop(); }

  progress() = default;
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Returns the text of progress after this time, without control characters.
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
  counts counts_;               // a bar never shows the amount of one unit with the total of another
  bool counts_itself_ = false;  // counts_.done is the job's own
  std::condition_variable stops_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jobs
