// Verifies that a file holds the same numbers as another, in ascending order. Workers read both files in parts.
#pragma once

#include <rankpool/rankpool.hpp>

#include <cstdint>

#include "sort/number_file.hpp"

namespace jobs {

inline constexpr std::uint64_t part_of_examination = std::uint64_t{1} << 23;

/// A fingerprint of a multiset of numbers: independent of their order. Different files collide with a probability of about 2^-64.
struct fingerprint {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;     // sum of the keys, modulo 2^64
  std::uint64_t hashes = 0;  // sum of the hashes of the keys, modulo 2^64

  friend bool operator==(const fingerprint&, const fingerprint&) = default;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& count& sum& hashes;
  }
};

struct file_examination {
  fingerprint numbers;
  bool in_order = true;
};

/// Computes the fingerprint and checks the order, in parts of `part` numbers. Throws: file_error.
file_examination examine(rankpool::executor& pool, const number_file& numbers, std::uint64_t part = part_of_examination);

}  // namespace jobs
