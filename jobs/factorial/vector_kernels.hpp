// The loops of the transforms and of what follows them, compiled for several kinds of processor.
//
// A residue is as in modular.hpp. On processors that do not multiply and add in one instruction, the kernels give the same
// products, but more slowly than GMP multiplies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "factorial/modular.hpp"

namespace jobs::vector_kernels {

/// Whether the kernels of this processor multiply and add in one instruction.
bool have_fused_multiply_add();

/// Residues mod p of `size` coefficients below 2^60, then zeros up to `length`.
void load(const std::uint64_t* digits, std::size_t size, double* x, std::size_t length, modular::prime_field f);

/// The first level of splitting, or the last of joining: x^2h - 1 is split into x^h - 1 and x^h + 1. `half` is a multiple of 4.
void split_in_two(double* x, std::size_t half);

/// Two levels of splitting at node j: four runs of q coefficients; q is a multiple of 4. Inputs and outputs are within 2.5 p.
void split_in_four(double* x, std::size_t q, std::size_t j, const double* roots, modular::prime_field f);

/// The inverse of split_in_four, except for a factor of 4. Inputs and outputs are within 1.5 p.
void join_four(double* x, std::size_t q, std::size_t j, const double* roots, modular::prime_field f);

/// split_in_four at `count` neighbouring nodes from `node` on, into leaves of 12, 16 or 20 coefficients.
void split_into_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots,
                       modular::prime_field f);

/// join_four of `count` neighbouring nodes, from leaves of 12, 16 or 20 coefficients.
void join_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots, modular::prime_field f);

struct leaf_scale {
  double high, middle, low;  // 2^48, 2^24 and 1, each times the inverse of the transform's factor
};

/// a := a·b in each of `count` leaves, where leaf j is a polynomial modulo x^leaf - w with w = ±roots[j / 2].
void multiply_leaves(double* a, const double* b, std::size_t leaf, std::size_t count, const double* roots, leaf_scale scale,
                     modular::prime_field f);

/// V = x + p1·(k1 + p2·k2), Garner's mixed-radix form, for a block of coefficients.
struct mixed_radix_block {
  static constexpr std::size_t length = 256;
  std::array<double, length> x, k1, k2;
};

struct garner_constants {
  modular::prime_field f1, f2, f3;
  double p1_inverse_2, p1_inverse_3, p2_inverse_3;
};

/// From the residues of `count` coefficients modulo three primes; `count` is at most mixed_radix_block::length.
void to_mixed_radix(const double* r1, const double* r2, const double* r3, std::size_t count, const garner_constants& constants,
                    mixed_radix_block& out);

}  // namespace jobs::vector_kernels
