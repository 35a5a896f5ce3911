// Formats times and numbers of a journal, for people and for other programs.
#pragma once

#include <cstdint>
#include <rankpool/rankpool.hpp>
#include <string>

namespace jobs {

/// Returns UTC time in ISO 8601 format with milliseconds: 2026-11-25T16:00:01.250Z.
std::string iso_time(rankpool::journal_reader::time_point when);

/// Returns a time with three significant digits: 1.58 s, 26 min.
std::string in_words(rankpool::journal_reader::seconds time);

/// Returns a number with three significant digits, or with all digits before the decimal point.
std::string in_words(double number);

/// Returns a range of items as text for messages: "item 7", "items 7 to 9".
std::string items_in_words(std::uint64_t first, std::uint64_t count);

}  // namespace jobs
