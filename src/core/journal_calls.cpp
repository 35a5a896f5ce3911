// What is kept of maps and reductions: how a run finds again what an earlier one has finished.
#include <rankpool/detail/journal_call.hpp>

#include "function_name.hpp"
#include "journal_entry.hpp"
#include "journal_file.hpp"

#include <rankpool/detail/code_address.hpp>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <utility>

namespace rankpool::detail {
namespace {

/// Tells calls apart: `head` is what is bound to the function.
digest identity_of(const call_description& what, std::span<const std::byte> head) {
  byte_buffer bytes;
  byte_writer out(bytes);
  out.put(locate_function(what.function));
  out.put(what.identity == 0 ? code_address{} : locate_code(reinterpret_cast<const void*>(what.identity)));
  out.raw(head.data(), head.size());
  return digest_of(bytes);
}

/// All that the file keeps of a call but its number.
call_row row_of(const call_description& what, std::span<const std::byte> head) {
  return {.identity = identity_of(what, head),
          .name = function_name(what.identity, what.callable),
          .by_items = what.by_items,
          .printer = what.print == nullptr ? code_address{} : locate_function(what.print)};
}

outcome load_from(journal_file& file, std::int64_t call, std::uint64_t first) {
  const std::string text = file.result_of(call, first);
  try {
    return outcome_of(text);
  } catch (const std::exception& e) {
    file.fail("has a result of item " + std::to_string(first) + " that cannot be read: " + e.what());
  }
}

}  // namespace

digest digest_of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

std::shared_ptr<journal_call> journal_call::begin(const journal& in, const call_description& what,
                                                  std::span<const std::byte> head) {
  const auto& file = journal_access::get(in);
  if (file == nullptr) return nullptr;
  const std::int64_t id = file->next_call(row_of(what, head));
  std::shared_ptr<journal_call> call(new journal_call(file, id, what.by_items));
  call->known = file->pieces_of(id);
  return call;
}

outcome journal_call::load(std::uint64_t first) const { return load_from(*file_, id_, first); }

void journal_call::note(std::uint64_t first, std::uint64_t count, const digest& input, const outcome& result) {
  if (auto e = entry_of({.call = id_, .first = first, .count = count, .input = input}, result, by_items_))
    file_->add(std::move(*e));
}

void journal_call::forget(std::uint64_t first) try {
  file_->add({.what = journal_file::entry::kind::forgotten, .call = id_, .first = first});
} catch (const journal_error&) {
  // It is told where a result cannot be kept.
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
