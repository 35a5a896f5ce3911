// Multiplies long numbers given as digits in base 2^60 or 10^18, least significant first. From a million bits on, this is several
// times as fast as GMP; in base 10^18, it needs no conversion to binary.
//
// Three number-theoretic transforms, each modulo a 49-bit prime, give every coefficient of the product exactly (below 2^147).
#pragma once

#include <cstdint>
#include <vector>

namespace jobs {

using digit_vector = std::vector<std::uint64_t>;

struct binary_radix {
  static constexpr std::uint64_t value = std::uint64_t{1} << 60;
};
struct decimal_radix {
  static constexpr std::uint64_t value = 1'000'000'000'000'000'000;
  static constexpr int digits = 18;
};

/// Returns a·b without leading zeros; empty for zero. A square (a and b are the same object) takes two thirds of the time. Throws:
/// std::length_error above 2.6e9 digits. Thread safety: any thread; each keeps up to 256 MiB of working memory.
template <class Radix>
digit_vector multiply_digits(const digit_vector& a, const digit_vector& b);

/// Returns whether this processor has a fused multiply-add instruction. Without it, GMP is faster than the transforms.
bool transforms_are_fast();

/// Multiplies by three transforms: multiply_digits() where transforms are fast. Correct on every processor.
template <class Radix>
digit_vector multiply_digits_by_transforms(const digit_vector& a, const digit_vector& b);

/// Multiplies by one GMP product of widely spaced digits: multiply_digits() where transforms are slow.
template <class Radix>
digit_vector multiply_digits_by_gmp(const digit_vector& a, const digit_vector& b);

/// Computes a += b · radix^shift.
template <class Radix>
void add_digits(digit_vector& a, const digit_vector& b, std::size_t shift = 0);

extern template digit_vector multiply_digits<binary_radix>(const digit_vector&, const digit_vector&);
extern template digit_vector multiply_digits<decimal_radix>(const digit_vector&, const digit_vector&);
extern template digit_vector multiply_digits_by_transforms<binary_radix>(const digit_vector&, const digit_vector&);
extern template digit_vector multiply_digits_by_transforms<decimal_radix>(const digit_vector&, const digit_vector&);
extern template digit_vector multiply_digits_by_gmp<binary_radix>(const digit_vector&, const digit_vector&);
extern template digit_vector multiply_digits_by_gmp<decimal_radix>(const digit_vector&, const digit_vector&);
extern template void add_digits<binary_radix>(digit_vector&, const digit_vector&, std::size_t);
extern template void add_digits<decimal_radix>(digit_vector&, const digit_vector&, std::size_t);

}  // namespace jobs
