#include "journal/journal_call.hpp"

#include "journal/call_identity.hpp"
#include "journal/file.hpp"
#include "journal/results.hpp"

#include <utility>

namespace rankpool::detail {

std::shared_ptr<journal_call> journal_call::begin(const journal& in, const call_description& what, std::span<const std::byte> head,
                                                  std::span<const shared_reference> references) {
  const auto& file = journal_access::get(in);
  if (file == nullptr) return nullptr;
  const std::int64_t id = file->next_call(row_of(what, identity_of(what, head, references)));
  return std::shared_ptr<journal_call>(new journal_call(file, id, what.by_items));
}

std::map<std::uint64_t, known_chunk> journal_call::known_chunks() const { return file_->chunks_of(id_); }

void journal_call::count_restored() { file_->count_restored(); }

outcome journal_call::load(std::uint64_t first) const { return load_outcome(*file_, id_, first); }

void journal_call::note(std::uint64_t first, std::uint64_t count, const digest& input, const outcome& result) {
  if (auto e = entry_of({.call = id_, .first = first, .count = count, .input = input}, result, by_items_)) {
    file_->add(std::move(*e));
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

}  // namespace rankpool::detail
