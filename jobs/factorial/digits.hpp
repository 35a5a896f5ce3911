// Products of long numbers given as digits in base 2^60 or 10^18, least significant first: several times as fast as GMP's
// for numbers of a million bits and more, and in base 10^18 without any conversion.
//
// Three transforms, one for each of three 49-bit primes, give every coefficient of the product exactly (below 2^147).
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

/// a·b without leading zeros; empty for zero. Squares (a and b the same object) take two thirds of the time.
/// Throws: std::length_error for a product of more than 2.6e9 digits. Thread: any; each thread keeps up to 256 MiB to work in.
template <class Radix>
digit_vector multiply_digits(const digit_vector& a, const digit_vector& b);

/// Whether this processor multiplies and adds in one instruction. Without that, GMP is faster than the transforms.
bool transforms_are_fast();

/// The product by three transforms: what multiply_digits does where transforms are fast. It is correct on every processor.
template <class Radix>
digit_vector multiply_digits_by_transforms(const digit_vector& a, const digit_vector& b);

/// The product by one GMP product of widely spaced digits: what multiply_digits does where transforms are not fast.
template <class Radix>
digit_vector multiply_digits_by_gmp(const digit_vector& a, const digit_vector& b);

/// a += b · radix^shift.
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
