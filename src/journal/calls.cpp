// Records of maps, reductions and submitted tasks, and how a run finds those that an earlier run has finished.
#include <rankpool/detail/journal/journal_call.hpp>

#include "journal/call_identity.hpp"
#include "journal/file.hpp"
#include "journal/results.hpp"
#include "journal/tasks.hpp"

#include <rankpool/detail/wire/code_address.hpp>

#include <utility>

namespace rankpool::detail {
namespace {

outcome load_from(journal_file& file, std::int64_t call, std::uint64_t first) {
  const std::string text = file.result_of(call, first);
  try {
    return outcome_of(text);
  } catch (const std::exception& e) {
    file.fail("has a result of item " + std::to_string(first) + " that cannot be read: " + e.what());
  }
}

}  // namespace

// ---- maps and reductions

std::shared_ptr<journal_call> journal_call::begin(const journal& in, const call_description& what, std::span<const std::byte> head,
                                                  const keepers& shared) {
  const auto& file = journal_access::get(in);
  if (file == nullptr) return nullptr;
  const std::int64_t id = file->next_call(row_of(what, identity_of(what, head, shared)));
  std::shared_ptr<journal_call> call(new journal_call(file, id, what.by_items));
  call->known = file->chunks_of(id);
  return call;
}

outcome journal_call::load(std::uint64_t first) const { return load_from(*file_, id_, first); }

void journal_call::restore(std::uint64_t first) {
  known.erase(first);
  file_->count_restored();
}

void journal_call::note(std::uint64_t first, std::uint64_t count, const digest& input, const outcome& result) {
  if (auto e = entry_of({.call = id_, .first = first, .count = count, .input = input}, result, by_items_))
    file_->add(std::move(*e));
}

void journal_call::forget(std::uint64_t first) {
  known.erase(first);
  try {
    file_->add({.what = journal_file::entry::kind::forgotten, .call = id_, .first = first});
  } catch (const journal_error&) {
    // Writing has failed. The next attempt to record a result reports it.
  }
}

void journal_call::note_items(std::uint64_t items) {
  file_->add({.what = journal_file::entry::kind::items, .call = id_, .count = items});
}

void journal_call::commit() { file_->commit(); }

std::exception_ptr journal_call::mismatch(const std::string& why) const {
  try {
    file_->fail("is of another input: " + why);
  } catch (const journal_error&) {
    return std::current_exception();
  }
}

// ---- submitted tasks

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
  return load_from(file_, call_, item);
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

}  // namespace rankpool::detail
