// Results as the rows of a journal, and back.
#pragma once

#include "file.hpp"

#include <optional>
#include <string>

namespace rankpool::detail {

/// What an outcome is of.
struct journal_place {
  std::int64_t call = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 1;
  digest input{};
};

/// None: there is nothing to note. `by_items`: the bytes hold an outcome for each item, else one in all.
std::optional<journal_file::entry> entry_of(const journal_place& place, const outcome& result, bool by_items);

/// The text of a finished entry. Throws what decoding throws.
outcome outcome_of(const std::string& text);

}  // namespace rankpool::detail
