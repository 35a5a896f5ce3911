// Cyclic convolution modulo a 49-bit prime, by a number-theoretic transform that ends at short polynomials instead of constants.
//
// x^L - 1 is split into x^(L/2) - w and x^(L/2) + w, and so on down to leaves of 12 to 20 coefficients, which are multiplied
// directly. Each root is constant over a contiguous run (no strided access, no permutation). Lengths are 12, 16 or 20 times a
// power of two, not only powers of two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "factorial/modular.hpp"

namespace jobs {

/// The shape of a transform with (leaf << levels) coefficients.
struct transform_shape {
  std::size_t leaf;
  unsigned levels;
  std::size_t length() const { return leaf << levels; }
  /// Returns the shortest shape with at least `length` coefficients; `length` is at most 20 << 27.
  static transform_shape at_least(std::size_t length);
};

/// A prime with its roots of unity. Thread safety: one thread at a time, because longer transforms extend the table of roots.
class prime_transform {
 public:
  explicit prime_transform(std::uint64_t prime);

  /// Transforms `size` coefficients below 2^60, followed by zeros, into `values` (shape.length() doubles).
  void forward(const std::uint64_t* digits, std::size_t size, transform_shape shape, double* values);
  /// Sets a to the cyclic convolution, as residues in (-2p, 2p), of the inputs whose transforms are a and b (b may be a).
  void multiply_and_invert(double* a, const double* b, transform_shape shape);

  const modular::prime_field& field() const { return field_; }

 private:
  void grow_roots(std::size_t count);
  void forward_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const;
  void inverse_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const;

  modular::prime_field field_;
  std::uint64_t generator_;    // a quadratic non-residue
  std::vector<double> roots_;  // roots_[j] = exp(2πi · bit_reversal(j) / 2), with bit_reversal(j) in [0, 1)
};

}  // namespace jobs
