// Formats times and numbers for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jobs {

/// Returns UTC time, for people and for other programs, in ISO 8601 format with milliseconds: 2026-11-25T16:00:01.250Z.
std::string iso_time(std::chrono::system_clock::time_point when);

/// Returns a time with three significant digits: 1.58 s, 26 min.
std::string in_words(std::chrono::duration<double> time);

/// Returns a number with three significant digits, or with all digits before the decimal point.
std::string in_words(double number);

/// Returns a share as a percentage: 0.46 %, 31 %.
std::string percent_in_words(double share);

/// Returns a size with a binary unit: 3.2 MiB.
std::string bytes_in_words(double size);

/// Returns a whole number in groups of three digits: 1,234,567.
std::string grouped(std::uint64_t number);

/// Returns a number and a noun: "1 task", "2,000 tasks".
std::string counted(std::uint64_t number, std::string_view noun);

/// Returns a range of items as text for messages: "item 7", "items 7 to 9".
std::string items_in_words(std::uint64_t first, std::uint64_t count);

}  // namespace jobs
