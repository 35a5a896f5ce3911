// Verifies that a number is n!: compares residues modulo primes above every n with those of 1·2·…·n, which workers compute in
// parts, and the exponents of 2 and 5 with Legendre's formula.
#pragma once

#include <gmpxx.h>

#include <array>
#include <cstdint>

#include "factorial/digits.hpp"

namespace jobs {

/// Residues modulo 2^32 - 5, 2^32 - 17 and 2^32 - 65.
using residues = std::array<std::uint64_t, 3>;

residues residues_of(const mpz_class& n);
residues residues_of(const digit_vector& decimal);

/// Returns the residues of the product of first, first + 1, ..., last. Takes about 1 s for 10^8 numbers.
residues residues_of_range(std::uint64_t first, std::uint64_t last);

residues residues_of_power(std::uint64_t base, std::uint64_t exponent);

residues multiply_residues(const residues& a, const residues& b);

}  // namespace jobs
