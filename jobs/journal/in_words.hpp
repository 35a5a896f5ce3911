// Times and amounts of a journal, as people and other programs read them.
#pragma once

#include <cstdint>
#include <rankpool/rankpool.hpp>
#include <string>

namespace jobs {

/// UTC as ISO 8601 has it, with milliseconds: 2026-11-25T16:00:01.250Z.
std::string iso_time(rankpool::journal_reader::time_point when);

/// Three digits: 1.58 s, 26 min.
std::string in_words(rankpool::journal_reader::seconds time);

/// Three digits, or all that stand before the point.
std::string in_words(double number);

/// "item 7", "items 7 to 9".
std::string items_in_words(std::uint64_t first, std::uint64_t count);

}  // namespace jobs
