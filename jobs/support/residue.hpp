// Residues of long numbers modulo primes below 2^61, to verify numbers whose residues are known.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace jobs {

/// The largest primes below 2^61, 2^60 and 2^59.
inline constexpr std::array<std::uint64_t, 3> check_primes{2305843009213693951U, 1152921504606846883U, 576460752303423433U};

inline std::uint64_t times_mod(std::uint64_t a, std::uint64_t b, std::uint64_t p) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(a) * b % p);
}

/// Returns the residue modulo p of a number given as decimal digits.
inline std::uint64_t residue_of_digits(std::string_view digits, std::uint64_t p) {
  constexpr std::size_t at_once = 18;
  std::uint64_t residue = 0;
  while (!digits.empty()) {
    std::uint64_t part = 0;
    std::uint64_t power = 1;
    for (const char digit : digits.substr(0, at_once)) {
      part = part * 10 + static_cast<std::uint64_t>(digit - '0');
      power *= 10;
    }
    residue = (times_mod(residue, power % p, p) + part % p) % p;
    digits.remove_prefix(digits.size() < at_once ? digits.size() : at_once);
  }
  return residue;
}

/// Returns F(n) mod p, by F(2k) = F(k) (2 F(k+1) - F(k)) and F(2k+1) = F(k)^2 + F(k+1)^2.
inline std::uint64_t fibonacci_mod(std::uint64_t n, std::uint64_t p) {
  std::uint64_t a = 0;  // F(k)
  std::uint64_t b = 1;  // F(k + 1)
  for (int bit = 63; bit >= 0; --bit) {
    const std::uint64_t doubled = times_mod(a, (2 * b % p + p - a) % p, p);
    const std::uint64_t next = (times_mod(a, a, p) + times_mod(b, b, p)) % p;
    a = (n >> bit & 1) != 0 ? next : doubled;
    b = (n >> bit & 1) != 0 ? (doubled + next) % p : next;
  }
  return a;
}

}  // namespace jobs
