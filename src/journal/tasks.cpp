#include "journal/tasks.hpp"

#include "journal/file.hpp"
#include "journal/results.hpp"

#include <exception>
#include <new>
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
  if (auto e = entry_of({.call = call_, .first = item, .count = 1, .input = input}, result, false)) file_.add(std::move(*e));
}

void journal_tasks::note_failed(std::uint64_t item, const digest& input) {
  const std::lock_guard lock(mutex_);
  failed_.emplace(input, item);
}

// ---- task_recorder

task_recorder::task_recorder(std::shared_ptr<journal_tasks> tasks, const digest& input)
    : tasks_(std::move(tasks)), item_(tasks_->begin(input)), input_(input) {}

task_recorder::~task_recorder() {
  if (!has_failed_) return;
  try {
    tasks_->note_failed(item_, input_);
  } catch (const std::bad_alloc&) {  // the next task with these arguments gets a new number
  }
}

void task_recorder::on_finished(const observed_chunk&, outcome& result) {
  has_failed_ = result.what == outcome::kind::threw;
  try {
    tasks_->note(item_, input_, result);
  } catch (...) {  // usually journal_error or std::bad_alloc
    result = {};
    result.error = std::current_exception();
  }
}

}  // namespace rankpool::detail
