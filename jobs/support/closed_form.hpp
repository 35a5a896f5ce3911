// Sums of consecutive squares and cubes in closed form, to verify jobs that compute or print the terms one by one.
#pragma once

#include <gmpxx.h>

namespace jobs {

/// Returns the sum of the squares of from, from + 1, ..., to; both may be negative.
inline mpz_class sum_of_squares(const mpz_class& from, const mpz_class& to) {
  const auto up_to = [](const mpz_class& n) { return mpz_class(n * (n + 1) * (2 * n + 1) / 6); };
  return up_to(to) - up_to(from - 1);
}

/// Returns the sum of the cubes of from, from + 1, ..., to; both may be negative.
inline mpz_class sum_of_cubes(const mpz_class& from, const mpz_class& to) {
  const auto up_to = [](const mpz_class& n) {
    const mpz_class numbers = n * (n + 1) / 2;
    return mpz_class(numbers * numbers);
  };
  return up_to(to) - up_to(from - 1);
}

}  // namespace jobs
