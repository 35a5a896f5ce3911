// The tasks of one function that are submitted with a journal. They have no fixed order, so their arguments identify them.
#pragma once

#include <rankpool/detail/journal/call_description.hpp>
#include <rankpool/detail/scheduler/chunk_observer.hpp>
#include <rankpool/detail/scheduler/job.hpp>
#include <rankpool/detail/wire/digest.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace rankpool {
class journal;
}

namespace rankpool::detail {

class journal_file;

/// Finds finished tasks by their arguments and records new ones. Tasks with equal arguments are interchangeable, but each has a
/// result of its own. Thread safety: all members may be called from any thread.
class journal_tasks {
 public:
  /// Returns the tasks of a function in a journal; null without a journal. Throws: journal_error.
  static std::shared_ptr<journal_tasks> of(const journal& in, const call_description& what);
  journal_tasks(journal_file& file, std::int64_t call);

  /// Returns the result of a task with these arguments that an earlier run has finished. Returns each result once.
  /// Throws: journal_error.
  std::optional<outcome> take(const digest& input);
  /// Returns the number of a task that is about to run: the number of a failed task with these arguments, or a new one.
  std::uint64_t begin(const digest& input);
  /// Records that a task has run. Throws: journal_error.
  void note(std::uint64_t item, const digest& input, const outcome& result);
  /// A task has failed and does not run again by itself: the next one with the same arguments has its number.
  void note_failed(std::uint64_t item, const digest& input);

 private:
  journal_file& file_;  // which owns this
  const std::int64_t call_;
  std::mutex mutex_;
  std::multimap<digest, std::uint64_t> finished_;  // in an earlier run; not yet restored
  std::multimap<digest, std::uint64_t> failed_;    // in this run; not yet run again
  std::uint64_t items_ = 0;
};

/// Records the outcome of every attempt of one submitted task, as an observer of its job, which destroys it when the task is over.
/// If an outcome cannot be recorded, the task fails with journal_error.
class task_recorder final : public chunk_observer {
 public:
  /// `input`: the digest of the task's arguments.
  task_recorder(std::shared_ptr<journal_tasks> tasks, const digest& input);
  ~task_recorder() override;

  void on_finished(const observed_chunk& chunk, outcome& result) override;

 private:
  const std::shared_ptr<journal_tasks> tasks_;
  const std::uint64_t item_;
  const digest input_;
  bool has_failed_ = false;  // the last attempt
};

}  // namespace rankpool::detail
