#include "factorial/digits.hpp"

#include <gmp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "factorial/large_buffer.hpp"
#include "factorial/transform.hpp"
#include "factorial/vector_kernels.hpp"

namespace jobs {
namespace {

using uint128 = unsigned __int128;

// The three largest primes below 2^49 that are 1 modulo 2^28.
constexpr std::uint64_t prime_1 = 0x1ffffc0000001, prime_2 = 0x1fffe00000001, prime_3 = 0x1fffdd0000001;

// ---- one coefficient: from three residues to three digits ----------------------------------------------------

using vector_kernels::mixed_radix_block;

vector_kernels::garner_constants make_garner_constants() {
  const modular::prime_field f1 = modular::field_of(prime_1), f2 = modular::field_of(prime_2), f3 = modular::field_of(prime_3);
  return {f1, f2, f3, modular::inverse(f1.p - f2.p, f2), modular::inverse(f1.p - f3.p, f3), modular::inverse(f2.p - f3.p, f3)};
}

struct three_digits {
  std::uint64_t low, middle, high;
};

struct wide {
  std::uint64_t low;
  uint128 rest;  // to be multiplied by 2^64
};

inline wide coefficient(double x, double k1, double k2) {
  const uint128 k = modular::to_integer(k1) + static_cast<uint128>(prime_2) * modular::to_integer(k2);
  const uint128 lower = static_cast<uint128>(prime_1) * static_cast<std::uint64_t>(k) + modular::to_integer(x);
  return {static_cast<std::uint64_t>(lower), static_cast<uint128>(prime_1) * static_cast<std::uint64_t>(k >> 64) + (lower >> 64)};
}

// Divides a number of two words by a constant whose top bit is set. Two multiplications replace a slow division instruction (N.
// Möller and T. Granlund, Improved division by invariant integers, 2011).
constexpr std::uint64_t divisor = decimal_radix::value << 4;
constexpr std::uint64_t divisor_reciprocal = static_cast<std::uint64_t>(~uint128{0} / divisor - (uint128{1} << 64));

inline std::uint64_t divide(std::uint64_t high, std::uint64_t low, std::uint64_t& remainder) {
  const uint128 estimate = static_cast<uint128>(divisor_reciprocal) * high + ((static_cast<uint128>(high) << 64) | low);
  std::uint64_t quotient = static_cast<std::uint64_t>(estimate >> 64) + 1;
  remainder = low - quotient * divisor;
  if (remainder > static_cast<std::uint64_t>(estimate)) {
    --quotient;
    remainder += divisor;
  }
  if (remainder >= divisor) [[unlikely]] {
    ++quotient;
    remainder -= divisor;
  }
  return quotient;
}

inline three_digits digits_of(const wide& v, binary_radix) {
  constexpr std::uint64_t mask = binary_radix::value - 1;
  return {v.low & mask, static_cast<std::uint64_t>(v.rest << 4 | v.low >> 60) & mask, static_cast<std::uint64_t>(v.rest >> 56)};
}

inline three_digits digits_of(const wide& v, decimal_radix) {
  const uint128 upper = v.rest << 4 | v.low >> 60;  // v times 16, to match `divisor`, which is the radix times 16
  std::uint64_t remainder;
  const std::uint64_t q1 = divide(static_cast<std::uint64_t>(upper >> 64), static_cast<std::uint64_t>(upper), remainder);
  std::uint64_t low;
  const std::uint64_t q0 = divide(remainder, v.low << 4, low);
  std::uint64_t middle;
  const std::uint64_t high = divide(q1 << 4 | q0 >> 60, q0 << 4, middle);
  return {low >> 4, middle >> 4, high};
}

/// Converts coefficients to digits. Only the digits depend on the carry; the slow divisions of the coefficients are independent.
template <class Radix, class CoefficientAt>
digit_vector carry_through(std::size_t size, CoefficientAt coefficient_at) {
  digit_vector product(size);
  std::uint64_t middle_before = 0, high_before = 0, high_two_before = 0, carry = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const three_digits d = digits_of(coefficient_at(i), Radix{});
    std::uint64_t sum = d.low + middle_before + high_two_before + carry;  // below 2^62
    carry = 0;
    for (; sum >= Radix::value; sum -= Radix::value) ++carry;
    product[i] = sum;
    middle_before = d.middle;
    high_two_before = std::exchange(high_before, d.high);
  }
  while (!product.empty() && product.back() == 0) product.pop_back();
  return product;
}

// ---- the working memory of a thread -------------------------------------------------------------------------

class engine {
 public:
  engine() : transforms_{prime_transform(prime_1), prime_transform(prime_2), prime_transform(prime_3)} {}

  template <class Radix>
  digit_vector multiply(const digit_vector& a, const digit_vector& b) {
    const transform_shape shape = transform_shape::at_least(a.size() + b.size());
    const std::size_t length = shape.length();
    if (capacity_ < length) {
      memory_.reset();  // frees the old memory before the larger allocation
      memory_ = make_large_buffer(4 * length);
      capacity_ = length;
    }
    double* const second = memory_.get() + 3 * length;
    for (std::size_t k = 0; k < 3; ++k) {
      double* const first = memory_.get() + k * length;
      transforms_[k].forward(a.data(), a.size(), shape, first);
      if (&a != &b) transforms_[k].forward(b.data(), b.size(), shape, second);
      transforms_[k].multiply_and_invert(first, &a == &b ? first : second, shape);
    }
    digit_vector product = collect<Radix>(a.size() + b.size(), length);
    if (capacity_ > most_kept) {
      memory_.reset();
      capacity_ = 0;
    }
    return product;
  }

 private:
  template <class Radix>
  digit_vector collect(std::size_t size, std::size_t length) {
    const double* const r = memory_.get();
    mixed_radix_block block;
    return carry_through<Radix>(size, [&, this](std::size_t i) {
      const std::size_t place = i % mixed_radix_block::length;
      if (place == 0) {
        const std::size_t count = std::min(mixed_radix_block::length, size - i);
        vector_kernels::to_mixed_radix(r + i, r + length + i, r + 2 * length + i, count, constants_, block);
      }
      return coefficient(block.x[place], block.k1[place], block.k2[place]);
    });
  }

  static constexpr std::size_t most_kept = std::size_t{1} << 23;  // doubles kept between calls in each of the four buffers
  std::array<prime_transform, 3> transforms_;
  vector_kernels::garner_constants constants_ = make_garner_constants();
  large_buffer memory_;
  std::size_t capacity_ = 0;
};

template <class Radix>
digit_vector multiply_schoolbook(const digit_vector& a, const digit_vector& b) {
  digit_vector product(a.size() + b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const uint128 sum = static_cast<uint128>(a[i]) * b[j] + product[i + j] + carry;
      carry = static_cast<std::uint64_t>(sum / Radix::value);
      product[i + j] = static_cast<std::uint64_t>(sum % Radix::value);
    }
    product[i + b.size()] = carry;
  }
  while (!product.empty() && product.back() == 0) product.pop_back();
  return product;
}

}  // namespace

template <class Radix>
digit_vector multiply_digits(const digit_vector& a, const digit_vector& b) {
  if (std::min(a.size(), b.size()) < 16) return multiply_schoolbook<Radix>(a, b);
  return transforms_are_fast() ? multiply_digits_by_transforms<Radix>(a, b) : multiply_digits_by_gmp<Radix>(a, b);
}

bool transforms_are_fast() { return vector_kernels::have_fused_multiply_add(); }

template <class Radix>
digit_vector multiply_digits_by_transforms(const digit_vector& a, const digit_vector& b) {
  thread_local engine transforms;
  return transforms.multiply<Radix>(a, b);
}

template <class Radix>
digit_vector multiply_digits_by_gmp(const digit_vector& a, const digit_vector& b) {
  constexpr std::size_t spacing = 3;  // in limbs: a coefficient is below 2^147
  const auto spread = [](const digit_vector& digits) {
    std::vector<mp_limb_t> limbs(digits.size() * spacing);
    for (std::size_t i = 0; i < digits.size(); ++i) limbs[i * spacing] = digits[i];
    return limbs;
  };
  if (a.empty() || b.empty()) return {};
  const auto& [longer, shorter] = std::minmax(a, b, [](const auto& x, const auto& y) { return x.size() > y.size(); });
  const std::vector<mp_limb_t> left = spread(longer), right = spread(shorter);
  std::vector<mp_limb_t> product(left.size() + right.size());
  mpn_mul(product.data(), left.data(), static_cast<mp_size_t>(left.size()), right.data(), static_cast<mp_size_t>(right.size()));
  return carry_through<Radix>(a.size() + b.size(), [&](std::size_t i) {
    const mp_limb_t* const limbs = &product[i * spacing];
    return wide{limbs[0], static_cast<uint128>(limbs[2]) << 64 | limbs[1]};
  });
}

template <class Radix>
void add_digits(digit_vector& a, const digit_vector& b, std::size_t shift) {
  if (b.empty()) return;
  a.resize(std::max(a.size(), b.size() + shift) + 1);
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < b.size() || carry != 0; ++i) {
    std::uint64_t sum = a[shift + i] + (i < b.size() ? b[i] : 0) + carry;
    carry = sum >= Radix::value;
    a[shift + i] = carry ? sum - Radix::value : sum;
  }
  while (!a.empty() && a.back() == 0) a.pop_back();
}

template digit_vector multiply_digits_by_gmp<binary_radix>(const digit_vector&, const digit_vector&);
template digit_vector multiply_digits_by_gmp<decimal_radix>(const digit_vector&, const digit_vector&);
template digit_vector multiply_digits_by_transforms<binary_radix>(const digit_vector&, const digit_vector&);
template digit_vector multiply_digits_by_transforms<decimal_radix>(const digit_vector&, const digit_vector&);
template digit_vector multiply_digits<binary_radix>(const digit_vector&, const digit_vector&);
template digit_vector multiply_digits<decimal_radix>(const digit_vector&, const digit_vector&);
template void add_digits<binary_radix>(digit_vector&, const digit_vector&, std::size_t);
template void add_digits<decimal_radix>(digit_vector&, const digit_vector&, std::size_t);

}  // namespace jobs
