#include "factorial/vector_kernels.hpp"

#include <algorithm>
#include <bit>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "factorial/vector_kernels.cpp"
#include "support/vector_targets.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace jobs::vector_kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using modular::prime_field;

#define RANKPOOL_JOBS_BODY HWY_ATTR __attribute__((always_inline))

/// Calls body(d, i) for vectors d that cover [0, n), where n is a multiple of Step: first full vectors, then shorter ones.
template <std::size_t Step, class Body>
HWY_INLINE void for_each_vector(std::size_t n, Body body) {
  const hn::ScalableTag<double> full;
  std::size_t i = 0;
  for (; i + hn::Lanes(full) <= n; i += hn::Lanes(full)) body(full, i);
  if constexpr (HWY_MAX_BYTES / sizeof(double) > Step) {
    const hn::CappedTag<double, Step> rest;
    for (; i < n; i += hn::Lanes(rest)) body(rest, i);
  }
}

// ---- arithmetic modulo p, as in modular.hpp ------------------------------------------------------------------

#if HWY_NATIVE_FMA

/// Returns a·b - rounded exactly, where `rounded` is the rounded product a·b.
template <class V>
HWY_INLINE V rounding_error(V a, V b, V rounded) {
  return hn::MulSub(a, b, rounded);
}

/// Returns x - a·b for integers whose result is below 2^53.
template <class V>
HWY_INLINE V subtract_product(V x, V a, V b) {
  return hn::NegMulAdd(a, b, x);
}

#else

/// Returns the upper 26 bits of each lane (T. J. Dekker, A floating-point technique for extending the available precision, 1971).
template <class V>
HWY_INLINE V upper_half(V a) {
  const V scaled = hn::Mul(a, hn::Set(hn::DFromV<V>(), 0x1p27 + 1));
  return hn::Sub(scaled, hn::Sub(scaled, a));
}

template <class V>
HWY_INLINE V rounding_error(V a, V b, V rounded) {
  const V a_high = upper_half(a), a_low = hn::Sub(a, a_high);
  const V b_high = upper_half(b), b_low = hn::Sub(b, b_high);
  const V mixed = hn::Add(hn::Sub(hn::Mul(a_high, b_high), rounded), hn::Mul(a_high, b_low));
  return hn::Add(hn::Add(mixed, hn::Mul(a_low, b_high)), hn::Mul(a_low, b_low));
}

template <class V>
HWY_INLINE V subtract_product(V x, V a, V b) {
  const V product = hn::Mul(a, b);
  return hn::Sub(hn::Sub(x, product), rounding_error(a, b, product));
}

#endif

/// Returns x / p rounded to the nearest integer, for a quotient below 2^51.
template <class D>
HWY_INLINE hn::Vec<D> quotient(D d, hn::Vec<D> x, const prime_field f) {
  const auto shift = hn::Set(d, 0x1.8p52);
  return hn::Sub(hn::MulAdd(x, hn::Set(d, f.reciprocal), shift), shift);
}

template <class D>
HWY_INLINE hn::Vec<D> reduce(D d, hn::Vec<D> x, const prime_field f) {
  return subtract_product(x, quotient(d, x, f), hn::Set(d, f.p));
}

template <class D>
HWY_INLINE hn::Vec<D> multiply(D d, hn::Vec<D> a, hn::Vec<D> b, const prime_field f) {
  const auto high = hn::Mul(a, b);
  const auto low = rounding_error(a, b, high);
  return hn::Add(subtract_product(high, quotient(d, high, f), hn::Set(d, f.p)), low);
}

template <class D>
HWY_INLINE hn::Vec<D> multiply(D d, hn::Vec<D> a, double b, const prime_field f) {
  return multiply(d, a, hn::Set(d, b), f);
}

template <class D>
HWY_INLINE hn::Vec<D> canonical(D d, hn::Vec<D> x, const prime_field f) {
  const auto r = reduce(d, x, f);
  return hn::Add(r, hn::IfThenElseZero(hn::Lt(r, hn::Zero(d)), hn::Set(d, f.p)));
}

// ---- splitting and joining -----------------------------------------------------------------------------------

HWY_INLINE void split(double* x, std::size_t q, double w, double w_left, double w_right, const prime_field f) {
  for_each_vector<4>(q, [=](auto d, std::size_t i) RANKPOOL_JOBS_BODY {
    double* const at = x + i;
    const auto x0 = reduce(d, hn::LoadU(d, at), f);
    const auto x1 = reduce(d, hn::LoadU(d, at + q), f);
    const auto x2 = multiply(d, hn::LoadU(d, at + 2 * q), w, f);
    const auto x3 = multiply(d, hn::LoadU(d, at + 3 * q), w, f);
    const auto left = multiply(d, hn::Add(x1, x3), w_left, f);
    const auto right = multiply(d, hn::Sub(x1, x3), w_right, f);
    const auto sum = hn::Add(x0, x2), difference = hn::Sub(x0, x2);
    hn::StoreU(hn::Add(sum, left), d, at);
    hn::StoreU(hn::Sub(sum, left), d, at + q);
    hn::StoreU(hn::Add(difference, right), d, at + 2 * q);
    hn::StoreU(hn::Sub(difference, right), d, at + 3 * q);
  });
}

/// Inverts split(), given the inverse roots.
HWY_INLINE void join(double* x, std::size_t q, double w, double w_left, double w_right, const prime_field f) {
  for_each_vector<4>(q, [=](auto d, std::size_t i) RANKPOOL_JOBS_BODY {
    double* const at = x + i;
    const auto x0 = hn::LoadU(d, at), x1 = hn::LoadU(d, at + q);
    const auto x2 = hn::LoadU(d, at + 2 * q), x3 = hn::LoadU(d, at + 3 * q);
    const auto left_sum = hn::Add(x0, x1), right_sum = hn::Add(x2, x3);
    const auto left = multiply(d, hn::Sub(x0, x1), w_left, f);
    const auto right = multiply(d, hn::Sub(x2, x3), w_right, f);
    hn::StoreU(reduce(d, hn::Add(left_sum, right_sum), f), d, at);
    hn::StoreU(hn::Add(left, right), d, at + q);
    hn::StoreU(multiply(d, hn::Sub(left_sum, right_sum), w, f), d, at + 2 * q);
    hn::StoreU(multiply(d, hn::Sub(left, right), w, f), d, at + 3 * q);
  });
}

// Returns roots[j]^-1 = -roots[j'], where j' is j with all bits below the highest one flipped.
HWY_INLINE double inverse_root(const double* roots, std::size_t j) { return j == 0 ? 1.0 : -roots[j ^ (std::bit_floor(j) - 1)]; }

void split_in_four(double* x, std::size_t q, std::size_t j, const double* roots, prime_field f) {
  split(x, q, roots[j], roots[2 * j], roots[2 * j + 1], f);
}

void join_four(double* x, std::size_t q, std::size_t j, const double* roots, prime_field f) {
  join(x, q, inverse_root(roots, j), inverse_root(roots, 2 * j), inverse_root(roots, 2 * j + 1), f);
}

void split_in_two(double* x, std::size_t half) {
  for_each_vector<4>(half, [=](auto d, std::size_t i) RANKPOOL_JOBS_BODY {
    const auto a = hn::LoadU(d, x + i), b = hn::LoadU(d, x + half + i);
    hn::StoreU(hn::Add(a, b), d, x + i);
    hn::StoreU(hn::Sub(a, b), d, x + half + i);
  });
}

// These loops are as short as the leaf, so its length is a compile-time constant.
template <std::size_t Leaf>
HWY_INLINE void split_into_leaves_of(double* x, std::size_t count, std::size_t node, const double* roots, const prime_field f) {
  for (std::size_t j = node; j < node + count; ++j, x += 4 * Leaf) split(x, Leaf, roots[j], roots[2 * j], roots[2 * j + 1], f);
}

template <std::size_t Leaf>
HWY_INLINE void join_leaves_of(double* x, std::size_t count, std::size_t node, const double* roots, const prime_field f) {
  for (std::size_t j = node; j < node + count; ++j, x += 4 * Leaf)
    join(x, Leaf, inverse_root(roots, j), inverse_root(roots, 2 * j), inverse_root(roots, 2 * j + 1), f);
}

void split_into_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots, prime_field f) {
  switch (leaf) {
    case 12: return split_into_leaves_of<12>(x, count, node, roots, f);
    case 16: return split_into_leaves_of<16>(x, count, node, roots, f);
    default: return split_into_leaves_of<20>(x, count, node, roots, f);
  }
}

void join_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots, prime_field f) {
  switch (leaf) {
    case 12: return join_leaves_of<12>(x, count, node, roots, f);
    case 16: return join_leaves_of<16>(x, count, node, roots, f);
    default: return join_leaves_of<20>(x, count, node, roots, f);
  }
}

// ---- products of leaves --------------------------------------------------------------------------------------

// Two factors modulo x^Leaf - w, divided into 24-bit halves whose products can be added exactly, without reduction.
template <std::size_t Leaf>
struct prepared_leaf {
  double a_high[Leaf], a_low[Leaf];
  double wrapped_high[2 * Leaf], wrapped_low[2 * Leaf];  // [w·b, b]: a rotation is a read at an offset
};

/// Stores x as high·2^24 + low.
template <class D>
HWY_INLINE void store_halves(D d, hn::Vec<D> x, double* high, double* low) {
  const auto shift = hn::Set(d, 0x1.8p52);
  const auto upper = hn::Sub(hn::MulAdd(x, hn::Set(d, 0x1p-24), shift), shift);
  hn::StoreU(upper, d, high);
  hn::StoreU(hn::NegMulAdd(upper, hn::Set(d, 0x1p24), x), d, low);  // exact also without a fused instruction
}

template <std::size_t Leaf>
HWY_INLINE void prepare_leaf(prepared_leaf<Leaf>& out, const double* a, const double* b, double w, const prime_field f) {
  for_each_vector<4>(Leaf, [=, &out](auto d, std::size_t i) RANKPOOL_JOBS_BODY {
    const auto v = hn::LoadU(d, b + i);
    store_halves(d, reduce(d, v, f), out.wrapped_high + Leaf + i, out.wrapped_low + Leaf + i);
    store_halves(d, reduce(d, multiply(d, v, w, f), f), out.wrapped_high + i, out.wrapped_low + i);
    store_halves(d, reduce(d, hn::LoadU(d, a + i), f), out.a_high + i, out.a_low + i);
  });
}

// Computes coefficients i to i + Vectors·Lanes(d) of the product. All sums are below 2^53 and so exact in any order. Two vectors
// keep enough additions in flight to hide their latency.
template <std::size_t Leaf, std::size_t Vectors, class D>
HWY_INLINE void multiply_rows(D d, double* out, std::size_t i, const prepared_leaf<Leaf>& leaf, const leaf_scale& scale,
                              const prime_field f) {
  hn::Vec<D> high[Vectors], middle[Vectors], cross[Vectors], low[Vectors];
  for (std::size_t k = 0; k < Vectors; ++k) high[k] = middle[k] = cross[k] = low[k] = hn::Zero(d);
  for (std::size_t j = 0; j < Leaf; ++j) {
    const auto a_high = hn::Set(d, leaf.a_high[j]), a_low = hn::Set(d, leaf.a_low[j]);
    for (std::size_t k = 0; k < Vectors; ++k) {
      const std::size_t at = Leaf + i + k * hn::Lanes(d) - j;
      const auto v_high = hn::LoadU(d, leaf.wrapped_high + at), v_low = hn::LoadU(d, leaf.wrapped_low + at);
      high[k] = hn::MulAdd(a_high, v_high, high[k]);
      middle[k] = hn::MulAdd(a_high, v_low, middle[k]);
      cross[k] = hn::MulAdd(a_low, v_high, cross[k]);
      low[k] = hn::MulAdd(a_low, v_low, low[k]);
    }
  }
  for (std::size_t k = 0; k < Vectors; ++k) {
    const auto from_high = multiply(d, reduce(d, high[k], f), scale.high, f);
    const auto from_middle = multiply(d, reduce(d, hn::Add(middle[k], cross[k]), f), scale.middle, f);
    const auto from_low = multiply(d, reduce(d, low[k], f), scale.low, f);
    hn::StoreU(reduce(d, hn::Add(hn::Add(from_high, from_middle), from_low), f), d, out + i + k * hn::Lanes(d));
  }
}

template <std::size_t Leaf>
HWY_INLINE void multiply_leaf(double* out, const prepared_leaf<Leaf>& leaf, const leaf_scale& scale, const prime_field f) {
  const hn::CappedTag<double, 4> d;
  std::size_t i = 0;
  for (; i + 2 * hn::Lanes(d) <= Leaf; i += 2 * hn::Lanes(d)) multiply_rows<Leaf, 2>(d, out, i, leaf, scale, f);
  if (i < Leaf) multiply_rows<Leaf, 1>(d, out, i, leaf, scale, f);
}

template <std::size_t Leaf>
HWY_INLINE void multiply_leaves_of(double* a, const double* b, std::size_t count, const double* roots, const leaf_scale& scale,
                                   const prime_field f) {
  // Processes several leaves at a time, because reading data right after writing it with another alignment stalls the processor.
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

void multiply_leaves(double* a, const double* b, std::size_t leaf, std::size_t count, const double* roots, leaf_scale scale,
                     prime_field f) {
  switch (leaf) {
    case 12: return multiply_leaves_of<12>(a, b, count, roots, scale, f);
    case 16: return multiply_leaves_of<16>(a, b, count, roots, scale, f);
    default: return multiply_leaves_of<20>(a, b, count, roots, scale, f);
  }
}

// ---- from digits and to coefficients -------------------------------------------------------------------------

/// Converts integers below 2^52 to doubles: sets the exponent bits of 2^52 and subtracts 2^52.
template <class D>
HWY_INLINE hn::Vec<D> to_double(D d, hn::Vec<hn::RebindToUnsigned<D>> n) {
  const hn::RebindToUnsigned<D> du;
  return hn::Sub(hn::BitCast(d, hn::Or(n, hn::Set(du, 0x4330000000000000U))), hn::Set(d, 0x1p52));
}

void load(const std::uint64_t* digits, std::size_t size, double* x, std::size_t length, prime_field f) {
  for_each_vector<1>(size, [=](auto d, std::size_t i) RANKPOOL_JOBS_BODY {
    const hn::RebindToUnsigned<decltype(d)> du;
    const auto digit = hn::LoadU(du, digits + i);
    const auto high = to_double(d, hn::ShiftRight<30>(digit));
    const auto low = to_double(d, hn::And(digit, hn::Set(du, 0x3fffffffU)));
    hn::StoreU(hn::Add(multiply(d, high, 0x1p30, f), low), d, x + i);
  });
  std::fill(x + size, x + length, 0.0);
}

void to_mixed_radix(const double* r1, const double* r2, const double* r3, std::size_t count, const garner_constants& constants,
                    mixed_radix_block& out) {
  const garner_constants c = constants;
  for_each_vector<1>(count, [=, &out](auto d, std::size_t i) RANKPOOL_JOBS_BODY {
    const auto x = canonical(d, hn::LoadU(d, r1 + i), c.f1);
    const auto k1 = canonical(d, multiply(d, hn::Sub(hn::LoadU(d, r2 + i), x), c.p1_inverse_2, c.f2), c.f2);
    const auto difference = hn::Sub(multiply(d, hn::Sub(hn::LoadU(d, r3 + i), x), c.p1_inverse_3, c.f3), k1);
    hn::StoreU(x, d, out.x.data() + i);
    hn::StoreU(k1, d, out.k1.data() + i);
    hn::StoreU(canonical(d, multiply(d, difference, c.p2_inverse_3, c.f3), c.f3), d, out.k2.data() + i);
  });
}

bool have_fused_multiply_add() { return HWY_NATIVE_FMA != 0; }

#undef RANKPOOL_JOBS_BODY

}  // namespace
}  // namespace jobs::vector_kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jobs::vector_kernels {

HWY_EXPORT(have_fused_multiply_add);
HWY_EXPORT(load);
HWY_EXPORT(split_in_two);
HWY_EXPORT(split_in_four);
HWY_EXPORT(join_four);
HWY_EXPORT(split_into_leaves);
HWY_EXPORT(join_leaves);
HWY_EXPORT(multiply_leaves);
HWY_EXPORT(to_mixed_radix);

bool have_fused_multiply_add() { return HWY_DYNAMIC_DISPATCH(have_fused_multiply_add)(); }

void load(const std::uint64_t* digits, std::size_t size, double* x, std::size_t length, modular::prime_field f) {
  HWY_DYNAMIC_DISPATCH(load)(digits, size, x, length, f);
}

void split_in_two(double* x, std::size_t half) { HWY_DYNAMIC_DISPATCH(split_in_two)(x, half); }

void split_in_four(double* x, std::size_t q, std::size_t j, const double* roots, modular::prime_field f) {
  HWY_DYNAMIC_DISPATCH(split_in_four)(x, q, j, roots, f);
}

void join_four(double* x, std::size_t q, std::size_t j, const double* roots, modular::prime_field f) {
  HWY_DYNAMIC_DISPATCH(join_four)(x, q, j, roots, f);
}

void split_into_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots,
                       modular::prime_field f) {
  HWY_DYNAMIC_DISPATCH(split_into_leaves)(x, count, leaf, node, roots, f);
}

void join_leaves(double* x, std::size_t count, std::size_t leaf, std::size_t node, const double* roots, modular::prime_field f) {
  HWY_DYNAMIC_DISPATCH(join_leaves)(x, count, leaf, node, roots, f);
}

void multiply_leaves(double* a, const double* b, std::size_t leaf, std::size_t count, const double* roots, leaf_scale scale,
                     modular::prime_field f) {
  HWY_DYNAMIC_DISPATCH(multiply_leaves)(a, b, leaf, count, roots, scale, f);
}

void to_mixed_radix(const double* r1, const double* r2, const double* r3, std::size_t count, const garner_constants& constants,
                    mixed_radix_block& out) {
  HWY_DYNAMIC_DISPATCH(to_mixed_radix)(r1, r2, r3, count, constants, out);
}

}  // namespace jobs::vector_kernels
#endif
