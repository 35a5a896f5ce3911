// Freivalds' test of a product: A (B x) = C x for random x, which takes n² operations where the product took n³.
//
// Whole numbers: x is random modulo 2^64 and the test exact; each x lets a wrong product pass with a chance of at most 1/2.
// Fractions: x has entries ±1, and a row may differ by what rounding explains: a slip of that size is not found. A row with
// inf or nan, or whose numbers are so large that they may overflow, cannot be tested, and is counted.
#pragma once

#include <cstdint>

#include <rankpool/rankpool.hpp>

#include "matrices/product.hpp"

namespace jobs {

struct product_check {
  static constexpr int vectors = 16;

  bool holds = true;
  std::uint64_t wrong_row = 0;  // the first found, unless it holds
  std::uint64_t untested_rows = 0;
};

/// How many tasks the test takes on so many workers.
std::uint64_t tasks_to_check(const product& work, int workers);

/// Tests the file `work.target` on the workers. No rank takes 100 MiB for it, whatever the shapes: rank 0 holds 16 numbers for each
/// row of a part of A and of a part of B, and B is read again for each part of A. Throws: what tasks throw.
product_check check_product(rankpool::executor& pool, const product& work, int workers, std::uint64_t seed);

}  // namespace jobs
