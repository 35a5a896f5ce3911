// Multiplies GMP integers: with GMP itself, or with the transforms of digits.hpp where these are faster.
#pragma once

#include <gmpxx.h>

#include "factorial/digits.hpp"

namespace jobs {

/// Returns a·b. Both may be the same object.
mpz_class long_product(const mpz_class& a, const mpz_class& b);

/// Converts between a number n >= 0 and its digits in base 2^60.
digit_vector to_binary_digits(const mpz_class& n);
mpz_class from_binary_digits(const digit_vector& digits);

}  // namespace jobs
