// Does a file hold the same numbers as another, in order? Asked of the files as they are, by workers, part by part.
#pragma once

#include <rankpool/rankpool.hpp>

#include <cstdint>

#include "sort/number_file.hpp"

namespace jobs {

inline constexpr std::uint64_t part_of_examination = std::uint64_t{1} << 23;

/// The same for files that hold the same numbers in any order. Other files share it with a chance of about 2^-64.
struct fingerprint {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;     // of the keys, modulo 2^64
  std::uint64_t hashes = 0;  // the sum of their hashes, modulo 2^64

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

/// In parts of `part` numbers. Throws: file_error.
file_examination examine(rankpool::executor& pool, const number_file& numbers, std::uint64_t part = part_of_examination);

}  // namespace jobs
