// Fast conversion of numbers to text: printing limits the speed of many jobs.
//
// The maximum length of each part is known, so a buffer of sufficient size is reserved once and parts are written without checks.
#pragma once

#include <bit>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace jobs {

template <class Part>
inline constexpr bool is_wide = std::same_as<Part, __int128> || std::same_as<Part, unsigned __int128>;

/// The maximum number of characters of a part: a number, a character or a literal. 0: the type is not such a part.
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

/// Writes `value` at `at`, which must have room for it. Returns the end of the written text.
inline char* put(char* at, char value) {
  *at = value;
  return at + 1;
}

template <std::size_t Size>
char* put(char* at, const char (&literal)[Size]) {
  std::memcpy(at, literal, Size - 1);
  return at + (Size - 1);
}

namespace detail {

/// Returns the eight decimal digits of `value` < 10^8 as the bytes of a word, first digit lowest. Splits halves in parallel.
constexpr std::uint64_t eight_digits(std::uint64_t value) {
  std::uint64_t digits = value / 10'000 | (value % 10'000) << 32;
  std::uint64_t hundreds = (digits * 5243 >> 19) & 0x0000'007f'0000'007f;  // x * 5243 >> 19 is x / 100 below 10^4
  digits = hundreds | (digits - hundreds * 100) << 16;
  std::uint64_t tens = (digits * 103 >> 10) & 0x000f'000f'000f'000f;  // x * 103 >> 10 is x / 10 below 100
  return tens | (digits - tens * 10) << 8;
}

constexpr std::uint64_t ascii_zeros = 0x3030'3030'3030'3030;

inline char* put_eight(char* at, std::uint64_t value) {
  const std::uint64_t text = eight_digits(value) | ascii_zeros;
  std::memcpy(at, &text, sizeof text);
  return at + 8;
}

/// Writes `value` without leading zeros. It overwrites eight characters and returns the end of the digits.
inline char* put_at_most_eight(char* at, std::uint64_t value) {
  const std::uint64_t digits = eight_digits(value);
  const int zeros = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;
  const std::uint64_t text = (digits | ascii_zeros) >> (8 * zeros);
  std::memcpy(at, &text, sizeof text);
  return at + (8 - zeros);
}

}  // namespace detail

/// Writes `value` twice as fast as std::to_chars.
inline char* put(char* at, std::uint64_t value) {
  constexpr std::uint64_t ten_to_8 = 100'000'000, ten_to_16 = ten_to_8 * ten_to_8;
  if constexpr (std::endian::native != std::endian::little) return std::to_chars(at, at + 20, value).ptr;
  if (value < ten_to_8) return detail::put_at_most_eight(at, value);
  if (value < ten_to_16) return detail::put_eight(detail::put_at_most_eight(at, value / ten_to_8), value % ten_to_8);
  at = detail::put_at_most_eight(at, value / ten_to_16);
  return detail::put_eight(detail::put_eight(at, value % ten_to_16 / ten_to_8), value % ten_to_8);
}

template <std::integral Integer>
char* put(char* at, Integer value) {
  if (value >= 0) return put(at, static_cast<std::uint64_t>(value));
  return put(put(at, '-'), -static_cast<std::uint64_t>(value));
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

/// Builds a text of many lines, which a worker returns.
class text_builder {
 public:
  template <short_part... Parts>
  void print(const Parts&... parts) {
    constexpr std::size_t most = (most_characters<Parts> + ...);
    if (text_.size() - end_ < most) text_.resize(2 * text_.size() + most);
    char* end = &text_[end_];
    ((end = put(end, parts)), ...);
    end_ = static_cast<std::size_t>(end - text_.data());
  }

  /// Returns the text and empties the builder.
  std::string take() {
    text_.resize(std::exchange(end_, 0));
    return std::exchange(text_, {});
  }

 private:
  std::string text_;
  std::size_t end_ = 0;
};

}  // namespace jobs
