// Converts outcomes to rows of a journal and back.
#pragma once

#include "journal/file.hpp"

#include <optional>
#include <string>

namespace rankpool::detail {

/// The call, items and input that an outcome belongs to.
struct journal_place {
  std::int64_t call = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 1;
  digest input{};
};

/// Returns the journal entry for an outcome; none if the task did not run or its result is too large. `by_items`: the outcome
/// holds one result for each item, otherwise one for the whole chunk.
std::optional<journal_file::entry> entry_of(const journal_place& place, const outcome& result, bool by_items);

/// Returns the journal entry for a lost worker. `cause`: its end, as a part of a sentence. `tasks`: what it had not finished.
journal_file::entry loss_entry(const worker_place& where, const std::string& cause, std::uint64_t tasks);

/// Decodes the text of a finished entry. Throws: serialization_error, and what allocating the result throws.
outcome outcome_of(const std::string& text);

/// Loads and decodes the outcome of a finished chunk. Throws: journal_error.
outcome load_outcome(journal_file& file, std::int64_t call, std::uint64_t first);

}  // namespace rankpool::detail
