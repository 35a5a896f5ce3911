// An exact sum below 2^192, for more squares or cubes than anyone can add up.
//
// Two parts, not an array of words: compilers then keep it in registers with one carry chain (GCC 12: 5 % slower than a
// plain 128-bit sum, which overflows from the cubes of 1 to 6e9 on; four generic words are eight times slower).
#pragma once

#include <gmpxx.h>

#include <cstdint>

namespace jobs {

struct wide_sum {
  unsigned __int128 low = 0;
  std::uint64_t high = 0;

  friend wide_sum operator+(wide_sum a, const wide_sum& b) {
    a.high += b.high + __builtin_add_overflow(a.low, b.low, &a.low);
    return a;
  }
  friend bool operator==(const wide_sum&, const wide_sum&) = default;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& low& high;
  }
};

inline mpz_class to_integer(const wide_sum& sum) {
  const std::uint64_t words[3] = {static_cast<std::uint64_t>(sum.low), static_cast<std::uint64_t>(sum.low >> 64), sum.high};
  mpz_class value;
  mpz_import(value.get_mpz_t(), 3, -1, sizeof words[0], 0, 0, words);
  return value;
}

/// The exact n², which fits 128 bits.
inline wide_sum exact_square(std::uint64_t n) { return {static_cast<unsigned __int128>(n) * n, 0}; }

/// The exact n³, which fits 192 bits: the two words of n², each times n.
inline wide_sum exact_cube(std::uint64_t n) {
  const auto square = static_cast<unsigned __int128>(n) * n;
  const auto lower = static_cast<unsigned __int128>(static_cast<std::uint64_t>(square)) * n;
  const auto upper =
      static_cast<unsigned __int128>(static_cast<std::uint64_t>(square >> 64)) * n + static_cast<std::uint64_t>(lower >> 64);
  return {upper << 64 | static_cast<std::uint64_t>(lower), static_cast<std::uint64_t>(upper >> 64)};
}

}  // namespace jobs
