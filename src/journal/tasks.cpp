#include "journal/tasks.hpp"

#include "journal/file.hpp"
#include "journal/results.hpp"

#include <exception>
#include <utility>

namespace rankpool::detail {

// ---- journal_tasks

std::shared_ptr<journal_tasks> journal_tasks::of(const journal& in, const call_description& what) {
  const auto& file = journal_access::get(in);
  if (file == nullptr) return nullptr;
  return {file, &file->tasks_of(what)};
}

journal_tasks::journal_tasks(journal_file& file, std::int64_t call) : file_(file), call_(call) {
  for (const auto& [item, chunk] : file.chunks_of(call)) {
    finished_.emplace(chunk.input, item);
    items_ = item + 1;
  }
}

std::optional<outcome> journal_tasks::take(const digest& input) {
  std::uint64_t item = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = finished_.find(input);
    if (found == finished_.end()) return std::nullopt;
    item = found->second;
    finished_.erase(found);
  }
  file_.count_restored();
  return load_outcome(file_, call_, item);
}

std::uint64_t journal_tasks::begin(const digest& input) {
  const std::lock_guard lock(mutex_);
  const auto found = failed_.find(input);
  if (found == failed_.end()) return items_++;
  const std::uint64_t item = found->second;
  failed_.erase(found);
  return item;
}

void journal_tasks::note(std::uint64_t item, const digest& input, const outcome& result) {
  auto e = entry_of({.call = call_, .first = item, .count = 1, .input = input}, result, false);
  if (!e) return;
  if (e->what == journal_file::entry::kind::failed) {
    const std::lock_guard lock(mutex_);
    failed_.emplace(input, item);
  }
  file_.add(std::move(*e));
}

// ---- task_recorder

task_recorder::task_recorder(std::shared_ptr<journal_tasks> tasks, const digest& input)
    : tasks_(std::move(tasks)), item_(tasks_->begin(input)), input_(input) {}

void task_recorder::on_finished(const observed_chunk&, outcome& result) {
  try {
    tasks_->note(item_, input_, result);
  } catch (...) {  // usually journal_error or std::bad_alloc
    result = {};
    result.error = std::current_exception();
  }
}

}  // namespace rankpool::detail
