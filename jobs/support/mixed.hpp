// Stateless random numbers (SplitMix64): each depends only on a seed and its index, so any worker can compute it in any order.
#pragma once

#include <cstdint>

namespace jobs {

inline constexpr std::uint64_t golden_ratio = 0x9e37'79b9'7f4a'7c15;  // times 2^64

/// Mixes 64 bits: returns a hash of a number, or a random number for an index.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x += golden_ratio;
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
  return x ^ (x >> 31);
}

constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t index) { return mixed(mixed(seed) + index * golden_ratio); }

}  // namespace jobs
