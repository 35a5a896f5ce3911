// Products of GMP integers: GMP's own for most, the transforms of digits.hpp where they are faster.
#pragma once

#include <gmpxx.h>

#include "factorial/digits.hpp"

namespace jobs {

/// a·b, which may be the same object.
mpz_class long_product(const mpz_class& a, const mpz_class& b);

/// The digits of n >= 0 in base 2^60, and the number of such digits.
digit_vector to_binary_digits(const mpz_class& n);
mpz_class from_binary_digits(const digit_vector& digits);

}  // namespace jobs
