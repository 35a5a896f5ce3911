// Does a file hold the same numbers as another, in order? Asked of the files as they are, by workers, part by part.
#pragma once

#include <rankpool/rankpool.hpp>

#include <cstdint>

#include "sort/number_file.hpp"

namespace jobs {

/// What is the same of files that hold the same numbers in any order. Two that do not have the same with a chance of 2^-64.
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

/// Throws: file_error.
file_examination examine(rankpool::executor& pool, const number_file& numbers);

/// Tasks that an examination takes.
std::uint64_t examination_tasks(const number_file& numbers);

}  // namespace jobs
