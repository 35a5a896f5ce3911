// The tasks of one function that are submitted with a journal. They come in any order: their arguments tell them apart.
#pragma once

#include <rankpool/detail/journal_call.hpp>

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

/// Any thread. Tasks with equal arguments are one as good as another, but each has a result of its own.
class journal_tasks {
 public:
  /// Null without a journal. Throws journal_error.
  static std::shared_ptr<journal_tasks> of(const journal& in, const call_description& what);
  journal_tasks(journal_file& file, std::int64_t call);

  /// What an earlier run has finished of a task with these arguments; gives each result once. Throws journal_error.
  std::optional<outcome> take(const digest& input);
  /// A task is to run: its number, that of a task with these arguments if one has failed.
  std::uint64_t begin(const digest& input);
  /// It has run. Throws journal_error.
  void note(std::uint64_t item, const digest& input, const outcome& result);

 private:
  journal_file& file_;  // which owns this
  const std::int64_t call_;
  std::mutex mutex_;
  std::multimap<digest, std::uint64_t> finished_;  // by an earlier run, not yet taken
  std::multimap<digest, std::uint64_t> failed_;    // in this run, not yet run again
  std::uint64_t items_ = 0;
};

}  // namespace rankpool::detail
