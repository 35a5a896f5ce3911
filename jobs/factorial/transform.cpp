#include "factorial/transform.hpp"

#include <stdexcept>

#include "factorial/vector_kernels.hpp"

namespace jobs {
namespace {

using modular::multiply;
using modular::reduce;

// Half of a typical L2 cache: longer runs are split depth first, shorter ones level by level.
constexpr std::size_t cached_length = std::size_t{1} << 14;

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
    const std::size_t size = roots_.size();  // a power of two: the second half is the first times a root of order 4·size
    const double turn = modular::power(static_cast<double>(generator_), order / (4 * size), field_);
    roots_.resize(2 * size);
    for (std::size_t j = 0; j < size; ++j) roots_[size + j] = reduce(multiply(roots_[j], turn, field_), field_);
  }
}

void prime_transform::forward_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const {
  if (length > cached_length) {
    const std::size_t quarter = length / 4;
    vector_kernels::split_in_four(x, quarter, node, roots_.data(), field_);
    if (quarter == leaf) return;
    for (std::size_t k = 0; k < 4; ++k) forward_node(x + k * quarter, quarter, leaf, 4 * node + k);
    return;
  }
  std::size_t count = 1;
  for (; length > 4 * leaf; length /= 4, count *= 4, node *= 4) {
    for (std::size_t b = 0; b < count; ++b)
      vector_kernels::split_in_four(x + b * length, length / 4, node + b, roots_.data(), field_);
  }
  if (length == 4 * leaf) vector_kernels::split_into_leaves(x, count, leaf, node, roots_.data(), field_);
}

void prime_transform::inverse_node(double* x, std::size_t length, std::size_t leaf, std::size_t node) const {
  if (length > cached_length) {
    const std::size_t quarter = length / 4;
    if (quarter != leaf) {
      for (std::size_t k = 0; k < 4; ++k) inverse_node(x + k * quarter, quarter, leaf, 4 * node + k);
    }
    vector_kernels::join_four(x, quarter, node, roots_.data(), field_);
    return;
  }
  if (length == leaf) return;
  std::size_t count = length / (4 * leaf);
  std::size_t run = 4 * leaf;
  vector_kernels::join_leaves(x, count, leaf, node * count, roots_.data(), field_);
  while (run < length) {
    run *= 4;
    count /= 4;
    for (std::size_t b = 0; b < count; ++b) {
      vector_kernels::join_four(x + b * run, run / 4, node * count + b, roots_.data(), field_);
    }
  }
}

void prime_transform::forward(const std::uint64_t* digits, std::size_t size, transform_shape shape, double* values) {
  const std::size_t length = shape.length();
  grow_roots(std::size_t{1} << (shape.levels == 0 ? 0 : shape.levels - 1));
  vector_kernels::load(digits, size, values, length, field_);
  if (shape.levels % 2 == 0) return forward_node(values, length, shape.leaf, 0);
  vector_kernels::split_in_two(values, length / 2);
  forward_node(values, length / 2, shape.leaf, 0);
  forward_node(values + length / 2, length / 2, shape.leaf, 1);
}

void prime_transform::multiply_and_invert(double* a, const double* b, transform_shape shape) {
  const std::size_t length = shape.length();
  const double factor = modular::inverse(static_cast<double>(std::uint64_t{1} << shape.levels), field_);
  const vector_kernels::leaf_scale scale{reduce(multiply(0x1p48, factor, field_), field_),
                                         reduce(multiply(0x1p24, factor, field_), field_), factor};
  vector_kernels::multiply_leaves(a, b, shape.leaf, std::size_t{1} << shape.levels, roots_.data(), scale, field_);
  if (shape.levels % 2 == 0) return inverse_node(a, length, shape.leaf, 0);
  inverse_node(a, length / 2, shape.leaf, 0);
  inverse_node(a + length / 2, length / 2, shape.leaf, 1);
  vector_kernels::split_in_two(a, length / 2);
}

}  // namespace jobs
