// Freivalds' test of a matrix product: A (B x) = C x for random x. It takes n² operations, the product n³.
//
// Integers: x is random modulo 2^64 and the test is exact; each x accepts a wrong product with a probability of at most 1/2.
// Floating-point numbers: x has entries ±1, and rows may differ by the rounding error, so smaller errors are not detected. Rows
// with inf or nan, or with numbers that may overflow, are not tested but counted.
#pragma once

#include <cstdint>

#include <rankpool/rankpool.hpp>

#include "matrices/product.hpp"

namespace jobs {

struct product_check {
  static constexpr int vectors = 16;

  bool holds = true;
  std::uint64_t wrong_row = 0;  // first wrong row found, if holds is false
  std::uint64_t untested_rows = 0;
};

/// Returns the number of tasks of the test.
std::uint64_t tasks_to_check(const matrix_work& work, int workers);

/// Tests the file `work.target` on the workers. Every rank uses less than 100 MiB: rank 0 holds 16 numbers for each row of a part
/// of A and of a part of B, and B is read again for each part of A. Throws: exceptions of the tasks.
product_check check_product(rankpool::executor& pool, const matrix_work& work, int workers, std::uint64_t seed);

}  // namespace jobs
