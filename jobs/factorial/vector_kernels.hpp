// The inner loops of the transforms and of the conversion of their results, compiled for several instruction sets.
//
// Residues are represented as in modular.hpp. On processors without fused multiply-add, the kernels give the same products, but
// GMP is faster.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "factorial/modular.hpp"

namespace jobs::vector_kernels {

/// Returns whether the kernels chosen for this processor use fused multiply-add.
bool have_fused_multiply_add();

/// Writes the residues mod p of `size` coefficients below 2^60, then zeros up to `length`.
void load(const std::uint64_t* digits, std::size_t size, double* x, std::size_t length, modular::prime_field f);

/// Performs the first level of splitting or the last of joining: x^2h - 1 into x^h - 1 and x^h + 1. `half` is a multiple of 4.
void split_in_two(double* x, std::size_t half);

/// Performs two levels of splitting at node j: four runs of q coefficients; q is a multiple of 4. Values are within 2.5 p.
void split_in_four(double* x, std::size_t q, std::size_t j, const double* roots, modular::prime_field f);

/// Inverts split_in_four, except for a factor of 4. Inputs and outputs are within 1.5 p.
void join_four(double* x, std::size_t q, std::size_t j, const double* roots, modular::prime_field f);

/// Performs split_in_four at `count` neighbouring nodes from `node` on, into leaves of 12, 16 or 20 coefficients.
void split_into_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots,
                       modular::prime_field f);

/// Performs join_four at `count` neighbouring nodes, from leaves of 12, 16 or 20 coefficients.
void join_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots, modular::prime_field f);

struct leaf_scale {
  double high, middle, low;  // 2^48, 2^24 and 1, each times the inverse of the factor that splitting and joining introduce
};

/// Computes a := a·b in each of `count` leaves. Leaf j is a polynomial modulo x^leaf - w with w = ±roots[j / 2].
void multiply_leaves(double* a, const double* b, std::size_t leaf, std::size_t count, const double* roots, leaf_scale scale,
                     modular::prime_field f);

/// A block of coefficients in Garner's mixed-radix form: V = x + p1·(k1 + p2·k2).
struct mixed_radix_block {
  static constexpr std::size_t length = 256;
  std::array<double, length> x, k1, k2;
};

struct garner_constants {
  modular::prime_field f1, f2, f3;
  double p1_inverse_2, p1_inverse_3, p2_inverse_3;
};

/// Converts residues of `count` coefficients modulo three primes; `count` is at most mixed_radix_block::length.
void to_mixed_radix(const double* r1, const double* r2, const double* r3, std::size_t count, const garner_constants& constants,
                    mixed_radix_block& out);

}  // namespace jobs::vector_kernels
