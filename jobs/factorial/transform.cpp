#include "factorial/transform.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "support/clones.hpp"

namespace jobs {
namespace {

using modular::multiply;
using modular::prime_field;
using modular::reduce;

// Half a second-level cache: longer runs are taken apart depth first, shorter ones level by level.
constexpr std::size_t cached_length = std::size_t{1} << 14;

// Two levels at once: x^4q - w² … into four runs of q. Forward inputs and outputs are within 2.5 p.
[[gnu::always_inline]] inline void split_in_four(double* x, std::size_t q, double w, double w_left, double w_right,
                                                 const prime_field f) {
  q = q / 4 * 4;  // known to the compiler, which then needs no remainder loop
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < q; ++i) {
    const double x0 = reduce(x[i], f);
    const double x1 = reduce(x[i + q], f);
    const double x2 = multiply(x[i + 2 * q], w, f);
    const double x3 = multiply(x[i + 3 * q], w, f);
    const double left = multiply(x1 + x3, w_left, f);
    const double right = multiply(x1 - x3, w_right, f);
    x[i] = x0 + x2 + left;
    x[i + q] = x0 + x2 - left;
    x[i + 2 * q] = x0 - x2 + right;
    x[i + 3 * q] = x0 - x2 - right;
  }
}

// The inverse but for a factor of 4, with the inverse roots. Inputs and outputs are within 1.5 p.
[[gnu::always_inline]] inline void join_four(double* x, std::size_t q, double w, double w_left, double w_right,
                                             const prime_field f) {
  q = q / 4 * 4;
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < q; ++i) {
    const double left_sum = x[i] + x[i + q];
    const double left = multiply(x[i] - x[i + q], w_left, f);
    const double right_sum = x[i + 2 * q] + x[i + 3 * q];
    const double right = multiply(x[i + 2 * q] - x[i + 3 * q], w_right, f);
    x[i] = reduce(left_sum + right_sum, f);
    x[i + q] = left + right;
    x[i + 2 * q] = multiply(left_sum - right_sum, w, f);
    x[i + 3 * q] = multiply(left - right, w, f);
  }
}

// roots[j]^-1 = -roots[j'], where j' has all bits of j below the highest flipped.
double inverse_root(const double* roots, std::size_t j) {
  return j == 0 ? 1.0 : -roots[j ^ (std::bit_floor(j) - 1)];
}

template <std::size_t Leaf>
[[gnu::always_inline]] inline void split_last(double* x, std::size_t count, std::size_t node, const double* roots,
                                              const prime_field f) {
  for (std::size_t b = 0; b < count; ++b, x += 4 * Leaf) {
    const std::size_t j = node + b;
    split_in_four(x, Leaf, roots[j], roots[2 * j], roots[2 * j + 1], f);
  }
}

template <std::size_t Leaf>
[[gnu::always_inline]] inline void join_first(double* x, std::size_t count, std::size_t node, const double* roots,
                                              const prime_field f) {
  for (std::size_t b = 0; b < count; ++b, x += 4 * Leaf) {
    const std::size_t j = node + b;
    join_four(x, Leaf, inverse_root(roots, j), inverse_root(roots, 2 * j), inverse_root(roots, 2 * j + 1), f);
  }
}

RANKPOOL_JOBS_CLONES void split_once(double* x, std::size_t q, std::size_t j, const double* roots, prime_field f) {
  split_in_four(x, q, roots[j], roots[2 * j], roots[2 * j + 1], f);
}

RANKPOOL_JOBS_CLONES void join_once(double* x, std::size_t q, std::size_t j, const double* roots, prime_field f) {
  join_four(x, q, inverse_root(roots, j), inverse_root(roots, 2 * j), inverse_root(roots, 2 * j + 1), f);
}

// The last level of splitting has its run length known at compile time: these loops are as short as the leaf.
RANKPOOL_JOBS_CLONES void split_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node,
                                       const double* roots, prime_field f) {
  switch (leaf) {
    case 12: return split_last<12>(x, count, node, roots, f);
    case 16: return split_last<16>(x, count, node, roots, f);
    default: return split_last<20>(x, count, node, roots, f);
  }
}

RANKPOOL_JOBS_CLONES void join_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node,
                                      const double* roots, prime_field f) {
  switch (leaf) {
    case 12: return join_first<12>(x, count, node, roots, f);
    case 16: return join_first<16>(x, count, node, roots, f);
    default: return join_first<20>(x, count, node, roots, f);
  }
}

// At the root, w is 1; the halves need no product.
RANKPOOL_JOBS_CLONES void split_in_two(double* x, std::size_t half) {
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < half; ++i) {
    const double a = x[i], b = x[i + half];
    x[i] = a + b;
    x[i + half] = a - b;
  }
}

// Residues mod p of 60-bit digits, zeros after them.
RANKPOOL_JOBS_CLONES void load(const std::uint64_t* digits, std::size_t size, double* x, std::size_t length,
                               prime_field f) {
  const double two_30 = 0x1p30;
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < size; ++i) {
    const double high = modular::to_double(digits[i] >> 30);
    const double low = modular::to_double(digits[i] & 0x3fffffff);
    x[i] = multiply(high, two_30, f) + low;
  }
  std::fill(x + size, x + length, 0.0);
}

struct leaf_scale {
  double high, middle, low;  // 2^48, 2^24 and 1, each times the inverse of the transform's factor
};

// Two factors modulo x^Leaf - w, cut in 24-bit halves, whose products can be added up exactly, unreduced.
template <std::size_t Leaf>
struct prepared_leaf {
  double a_high[Leaf], a_low[Leaf];
  double wrapped_high[2 * Leaf], wrapped_low[2 * Leaf];  // [w·b, b], so that a rotation is a shifted read
};

template <std::size_t Leaf>
[[gnu::always_inline]] inline void prepare_leaf(prepared_leaf<Leaf>& out, const double* a, const double* b, double w,
                                                const prime_field f) {
  RANKPOOL_JOBS_VECTORIZE
  for (std::size_t i = 0; i < Leaf; ++i) {
    const double v = reduce(b[i], f);
    const double wv = reduce(multiply(b[i], w, f), f);
    const double u = reduce(a[i], f);
    const double v_high = modular::round(v * 0x1p-24);
    const double wv_high = modular::round(wv * 0x1p-24);
    const double u_high = modular::round(u * 0x1p-24);
    out.wrapped_high[i] = wv_high;
    out.wrapped_low[i] = std::fma(wv_high, -0x1p24, wv);
    out.wrapped_high[i + Leaf] = v_high;
    out.wrapped_low[i + Leaf] = std::fma(v_high, -0x1p24, v);
    out.a_high[i] = u_high;
    out.a_low[i] = std::fma(u_high, -0x1p24, u);
  }
}

using four = double __attribute__((vector_size(32)));

// Coefficients i to i + 4·Fours of the product: all sums are below 2^53 and so exact in any order of evaluation. Two Fours
// keep as many additions in flight as processors have room for.
template <std::size_t Leaf, std::size_t Fours>
[[gnu::always_inline]] inline void multiply_rows(double* out, std::size_t i, const prepared_leaf<Leaf>& leaf,
                                                 const leaf_scale& scale, const prime_field f) {
  four high[Fours] = {}, middle[Fours] = {}, cross[Fours] = {}, low[Fours] = {};
  for (std::size_t j = 0; j < Leaf; ++j) {
    for (std::size_t k = 0; k < Fours; ++k) {
      const std::size_t at = Leaf + i + 4 * k - j;
      four v_high, v_low;
      std::memcpy(&v_high, leaf.wrapped_high + at, sizeof v_high);  // not aligned: one instruction all the same
      std::memcpy(&v_low, leaf.wrapped_low + at, sizeof v_low);
      high[k] += leaf.a_high[j] * v_high;
      middle[k] += leaf.a_high[j] * v_low;
      cross[k] += leaf.a_low[j] * v_high;
      low[k] += leaf.a_low[j] * v_low;
    }
  }
  for (std::size_t k = 0; k < Fours; ++k) {
    for (std::size_t l = 0; l < 4; ++l) {
      const double product = multiply(reduce(high[k][l], f), scale.high, f) +
                             multiply(reduce(middle[k][l] + cross[k][l], f), scale.middle, f) +
                             multiply(reduce(low[k][l], f), scale.low, f);
      out[4 * k + l] = reduce(product, f);
    }
  }
}

template <std::size_t Leaf>
[[gnu::always_inline]] inline void multiply_leaf(double* out, const prepared_leaf<Leaf>& leaf, const leaf_scale& scale,
                                                 const prime_field f) {
  std::size_t i = 0;
  for (; i + 8 <= Leaf; i += 8) multiply_rows<Leaf, 2>(out + i, i, leaf, scale, f);
  if (i < Leaf) multiply_rows<Leaf, 1>(out + i, i, leaf, scale, f);
}

template <std::size_t Leaf>
[[gnu::always_inline]] inline void multiply_all_leaves(double* a, const double* b, std::size_t count,
                                                       const double* roots, leaf_scale scale, const prime_field f) {
  // Several at a time, because a processor reads slowly across what it has only just written.
  constexpr std::size_t batch = 8;
  prepared_leaf<Leaf> leaves[batch];
  for (std::size_t first = 0; first < count; first += batch) {
    const std::size_t size = std::min(batch, count - first);
    for (std::size_t k = 0; k < size; ++k) {
      const std::size_t j = first + k;
      const double w = count == 1 ? 1.0 : j % 2 == 0 ? roots[j / 2] : -roots[j / 2];
      prepare_leaf<Leaf>(leaves[k], a + j * Leaf, b + j * Leaf, w, f);
    }
    for (std::size_t k = 0; k < size; ++k) multiply_leaf<Leaf>(a + (first + k) * Leaf, leaves[k], scale, f);
  }
}

RANKPOOL_JOBS_CLONES void multiply_leaves(double* a, const double* b, std::size_t leaf, std::size_t count,
                                          const double* roots, leaf_scale scale, prime_field f) {
  switch (leaf) {
    case 12: return multiply_all_leaves<12>(a, b, count, roots, scale, f);
    case 16: return multiply_all_leaves<16>(a, b, count, roots, scale, f);
    default: return multiply_all_leaves<20>(a, b, count, roots, scale, f);
  }
}

}  // namespace

transform_shape transform_shape::at_least(std::size_t length) {
  transform_shape best{0, 0};
  for (const std::size_t leaf : {12, 16, 20}) {
    unsigned levels = 0;
    while (leaf << levels < length) ++levels;
    const transform_shape shape{leaf, levels};
    if (best.leaf == 0 || shape.length() < best.length()) best = shape;
  }
  if (best.levels > 27) throw std::length_error("a product of more than 2.6e9 digits of 60 bits");
  return best;
}

prime_transform::prime_transform(std::uint64_t prime) : field_(modular::field_of(prime)), generator_(2) {
  while (modular::canonical(modular::power(static_cast<double>(generator_), (prime - 1) / 2, field_), field_) == 1.0) {
    ++generator_;
  }
}

void prime_transform::grow_roots(std::size_t count) {
  if (roots_.empty()) roots_.push_back(1.0);
  const auto order = static_cast<std::uint64_t>(field_.p) - 1;
  while (roots_.size() < count) {
    const std::size_t size = roots_.size();  // a power of two: the next half turns by a root of order 4·size
    const double turn = modular::power(static_cast<double>(generator_), order / (4 * size), field_);
    roots_.resize(2 * size);
    for (std::size_t j = 0; j < size; ++j) roots_[size + j] = reduce(multiply(roots_[j], turn, field_), field_);
  }
}

void prime_transform::forward_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const {
  if (length > cached_length) {
    const std::size_t quarter = length / 4;
    split_once(x, quarter, node, roots_.data(), field_);
    if (quarter == leaf) return;
    for (std::size_t k = 0; k < 4; ++k) forward_node(x + k * quarter, quarter, leaf, 4 * node + k);
    return;
  }
  std::size_t count = 1;
  for (; length > 4 * leaf; length /= 4, count *= 4, node *= 4) {
    for (std::size_t b = 0; b < count; ++b) split_once(x + b * length, length / 4, node + b, roots_.data(), field_);
  }
  if (length == 4 * leaf) split_leaves(x, count, leaf, node, roots_.data(), field_);
}

void prime_transform::inverse_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const {
  if (length > cached_length) {
    const std::size_t quarter = length / 4;
    if (quarter != leaf) {
      for (std::size_t k = 0; k < 4; ++k) inverse_node(x + k * quarter, quarter, leaf, 4 * node + k);
    }
    join_once(x, quarter, node, roots_.data(), field_);
    return;
  }
  if (length == leaf) return;
  std::size_t count = length / (4 * leaf);
  std::size_t run = 4 * leaf;
  join_leaves(x, count, leaf, node * count, roots_.data(), field_);
  while (run < length) {
    run *= 4;
    count /= 4;
    for (std::size_t b = 0; b < count; ++b) {
      join_once(x + b * run, run / 4, node * count + b, roots_.data(), field_);
    }
  }
}

void prime_transform::forward(const std::uint64_t* digits, std::size_t size, transform_shape shape, double* values) {
  const std::size_t length = shape.length();
  grow_roots(std::size_t{1} << (shape.levels == 0 ? 0 : shape.levels - 1));
  load(digits, size, values, length, field_);
  if (shape.levels % 2 == 0) return forward_node(values, length, shape.leaf, 0);
  split_in_two(values, length / 2);
  forward_node(values, length / 2, shape.leaf, 0);
  forward_node(values + length / 2, length / 2, shape.leaf, 1);
}

void prime_transform::multiply_and_invert(double* a, const double* b, transform_shape shape) {
  const std::size_t length = shape.length();
  const double factor = modular::inverse(static_cast<double>(std::uint64_t{1} << shape.levels), field_);
  const leaf_scale scale{reduce(multiply(0x1p48, factor, field_), field_),
                         reduce(multiply(0x1p24, factor, field_), field_), factor};
  multiply_leaves(a, b, shape.leaf, std::size_t{1} << shape.levels, roots_.data(), scale, field_);
  if (shape.levels % 2 == 0) return inverse_node(a, length, shape.leaf, 0);
  inverse_node(a, length / 2, shape.leaf, 0);
  inverse_node(a + length / 2, length / 2, shape.leaf, 1);
  split_in_two(a, length / 2);
}

}  // namespace jobs
