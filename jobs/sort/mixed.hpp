// A well-mixed function of 64 bits (the finalizer of SplitMix64): a hash of a number, or a random number of an index.
#pragma once

#include <cstdint>

namespace jobs {

constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e37'79b9'7f4a'7c15;
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
  return x ^ (x >> 31);
}

}  // namespace jobs
