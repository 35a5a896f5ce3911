// Cyclic convolution modulo one 49-bit prime: a number-theoretic transform that stops at short polynomials.
//
// x^L - 1 is split into x^(L/2) - w and x^(L/2) + w, and so on down to leaves of 12 to 20 coefficients, which are multiplied
// directly. So every root is constant over a whole run of memory (no strided access, no permutation), and lengths are
// 12, 16 or 20 times a power of two instead of powers of two alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "factorial/modular.hpp"

namespace jobs {

/// The shape of a transform: leaf << levels coefficients.
struct transform_shape {
  std::size_t leaf;
  unsigned levels;
  std::size_t length() const { return leaf << levels; }
  /// The shortest with at least `length` coefficients, at most 20 << 27.
  static transform_shape at_least(std::size_t length);
};

/// One prime with its roots of unity; not thread-safe, as it grows its table when asked for longer transforms.
class prime_transform {
 public:
  explicit prime_transform(std::uint64_t prime);

  /// Residues of coefficients below 2^60, zeros after them, transformed into `values` (shape.length() of them).
  void forward(const std::uint64_t* digits, std::size_t size, transform_shape shape, double* values);
  /// a := the cyclic convolution of what a and b (which may be a) are transforms of, as residues in (-2p, 2p).
  void multiply_and_invert(double* a, const double* b, transform_shape shape);

  const modular::prime_field& field() const { return field_; }

 private:
  void grow_roots(std::size_t count);
  void forward_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const;
  void inverse_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const;

  modular::prime_field field_;
  std::uint64_t generator_;     // a quadratic non-residue
  std::vector<double> roots_;  // roots_[j] = exp(2πi · bit_reversal(j) / 2), with bit_reversal(j) in [0, 1)
};

}  // namespace jobs
