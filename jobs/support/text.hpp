// Numbers as text, fast: many jobs are limited by how quickly they can print.
//
// Parts of known greatest length go one after another into memory that is known to suffice: no checks in between.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace jobs {

template <class Part>
inline constexpr bool is_wide = std::same_as<Part, __int128> || std::same_as<Part, unsigned __int128>;

/// The greatest number of characters of a part: a number, a character or a literal. 0: not such a part.
template <class Part>
inline constexpr std::size_t most_characters = is_wide<Part>         ? 40
                                               : std::integral<Part> ? 20
                                                                     : 0;
template <>
inline constexpr std::size_t most_characters<char> = 1;
template <>
inline constexpr std::size_t most_characters<bool> = 0;
template <std::size_t Size>
inline constexpr std::size_t most_characters<char[Size]> = Size - 1;

template <class Part>
concept short_part = most_characters<Part> >
0;

/// Writes `value` at `at`, where it has room, and returns its end.
inline char* put(char* at, char value) {
  *at = value;
  return at + 1;
}

template <std::size_t Size>
char* put(char* at, const char (&literal)[Size]) {
  std::memcpy(at, literal, Size - 1);
  return at + (Size - 1);
}

template <std::integral Integer>
char* put(char* at, Integer value) {
  return std::to_chars(at, at + most_characters<Integer>, value).ptr;
}

inline char* put(char* at, unsigned __int128 value) {
  constexpr std::uint64_t ten_to_19 = 10'000'000'000'000'000'000U;
  if (value >> 64 == 0) return put(at, static_cast<std::uint64_t>(value));
  at = put(at, value / ten_to_19);
  char digits[20];
  const auto count = static_cast<std::size_t>(put(digits, static_cast<std::uint64_t>(value % ten_to_19)) - digits);
  std::memset(at, '0', 19 - count);
  std::memcpy(at + (19 - count), digits, count);
  return at + 19;
}

inline char* put(char* at, __int128 value) {
  if (value >= 0) return put(at, static_cast<unsigned __int128>(value));
  return put(put(at, '-'), -static_cast<unsigned __int128>(value));
}

/// Appends the parts, as one line mostly.
template <short_part... Parts>
void append(std::string& text, const Parts&... parts) {
  char line[(most_characters<Parts> + ...)];
  char* end = line;
  ((end = put(end, parts)), ...);
  text.append(line, end);
}

}  // namespace jobs
