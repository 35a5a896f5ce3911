// Tests the algorithms of `factorial` and `factorials` against GMP and against each other.
#include <gmpxx.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "factorial/decimal.hpp"
#include "factorial/digits.hpp"
#include "factorial/figures.hpp"
#include "factorial/long_product.hpp"
#include "factorial/report.hpp"
#include "factorial/shares.hpp"
#include "factorial/transform.hpp"
#include "factorial/verification.hpp"
#include "support/catch.hpp"
#include "vector_targets.hpp"

namespace {

mpz_class gmp_factorial(unsigned long n) {
  mpz_class value;
  mpz_fac_ui(value.get_mpz_t(), n);
  return value;
}

mpz_class power(unsigned long base, unsigned long exponent) {
  mpz_class value;
  mpz_ui_pow_ui(value.get_mpz_t(), base, exponent);
  return value;
}

mpz_class random_bits(std::size_t bits, unsigned long seed) {
  gmp_randclass random(gmp_randinit_mt);
  random.seed(seed);
  mpz_class n = random.get_z_bits(bits);
  mpz_setbit(n.get_mpz_t(), bits - 1);
  return n;
}

std::string text_of(const jobs::digit_vector& decimal) {
  std::string text;
  jobs::write_decimal(decimal, [&](std::string_view piece) { text += piece; });
  return text;
}

mpz_class value_of(const jobs::digit_vector& digits, std::uint64_t radix) {
  mpz_class value;
  for (std::size_t i = digits.size(); i-- > 0;)
    value = value * static_cast<unsigned long>(radix) + static_cast<unsigned long>(digits[i]);
  return value;
}

template <class Radix>
jobs::digit_vector random_digits(std::size_t size, unsigned seed) {
  std::mt19937_64 random(seed);
  jobs::digit_vector digits(size);
  for (auto& digit : digits) digit = random() % Radix::value;
  if (size != 0 && digits.back() == 0) digits.back() = 1;
  return digits;
}

template <class Radix>
void check_product(const jobs::digit_vector& a, const jobs::digit_vector& b) {
  const mpz_class expected = value_of(a, Radix::value) * value_of(b, Radix::value);
  const jobs::digit_vector product = jobs::multiply_digits<Radix>(a, b);
  CHECK(value_of(product, Radix::value) == expected);
  CHECK(jobs::multiply_digits_by_gmp<Radix>(a, b) == product);
  for (const std::uint64_t digit : product) {
    if (digit >= Radix::value) FAIL("a digit is not below its radix");
  }
}

template <class Radix>
void check_products() {
  // Lengths around the shortest transform, the leaves of 12, 16 and 20, and odd and even numbers of levels.
  for (const std::size_t size : {0, 1, 2, 15, 16, 17, 24, 31, 40, 48, 63, 64, 65, 79, 80, 96, 160, 161, 333, 1000}) {
    for (const std::size_t other : {std::size_t{1}, std::size_t{16}, size / 3 + 5, size}) {
      check_product<Radix>(random_digits<Radix>(size, 1), random_digits<Radix>(other, 2));
      // The largest digits give the largest coefficients, and carries through the whole product.
      check_product<Radix>(jobs::digit_vector(size, Radix::value - 1), jobs::digit_vector(other, Radix::value - 1));
    }
    const jobs::digit_vector same = random_digits<Radix>(size, 3);
    check_product<Radix>(same, same);
  }
}

}  // namespace

TEST_CASE("a transform length is at least the requested one, and little more") {
  for (const std::size_t length : {1, 12, 13, 16, 17, 20, 21, 24, 1000, 4097, 1'000'000}) {
    const std::size_t found = jobs::transform_shape::at_least(length).length();
    CHECK(found >= length);
    CHECK((found == 12 || found * 3 <= length * 4));
  }
  CHECK_THROWS_AS(jobs::transform_shape::at_least(std::numeric_limits<std::uint32_t>::max()), std::length_error);
}

TEST_CASE("products of digits in base 2^60 are exact") { check_products<jobs::binary_radix>(); }
TEST_CASE("products of digits in base 10^18 are exact") { check_products<jobs::decimal_radix>(); }

TEMPLATE_TEST_CASE("products by transforms are exact for every target", "", jobs::binary_radix, jobs::decimal_radix) {
  // Comparing strings, because printing long vectors of digits after a failure would take minutes.
  const auto is_exact = [](const jobs::digit_vector& a, const jobs::digit_vector& b) {
    return jobs::multiply_digits_by_transforms<TestType>(a, b) == jobs::multiply_digits_by_gmp<TestType>(a, b);
  };
  support::for_each_vector_target([&](const std::string& target) {
    // Sizes of one leaf; then of leaves of 12, 16 and 20 coefficients below odd and even numbers of levels.
    for (const std::size_t size : {1, 5, 7, 9, 12, 15, 20, 24, 31, 40, 47, 65, 80, 96, 128, 160, 192, 333, 640}) {
      CAPTURE(target, size);
      const auto a = random_digits<TestType>(size, 1), b = random_digits<TestType>(size, 2);
      const jobs::digit_vector largest(size, TestType::value - 1);  // these give the largest coefficients
      CHECK(is_exact(a, b));
      CHECK(is_exact(a, a));
      CHECK(is_exact(largest, largest));
    }
    CAPTURE(target);
    const auto longer = random_digits<TestType>(8'200, 1);  // longer than a run that stays in the cache
    CHECK(is_exact(longer, longer));
  });
}

#if defined(__x86_64__)
TEST_CASE("transforms are used on processors that multiply and add in one instruction, whatever the compiler") {
  CHECK(jobs::transforms_are_fast() == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
}
#endif

TEST_CASE("sums of digits carry to the end") {
  jobs::digit_vector a(40, jobs::decimal_radix::value - 1);
  jobs::add_digits<jobs::decimal_radix>(a, {1});
  CHECK(value_of(a, jobs::decimal_radix::value) == power(10, 40 * 18));
  jobs::digit_vector b{5};
  jobs::add_digits<jobs::decimal_radix>(b, {7}, 3);
  CHECK(b == jobs::digit_vector{5, 0, 0, 7});
}

TEST_CASE("GMP integers are converted to binary digits and back") {
  for (std::size_t bits = 1; bits < 4000; bits += 7) {
    const mpz_class n = random_bits(bits, bits);
    const jobs::digit_vector digits = jobs::to_binary_digits(n);
    if (value_of(digits, jobs::binary_radix::value) != n || jobs::from_binary_digits(digits) != n) FAIL(bits << " bits");
  }
  CHECK(jobs::to_binary_digits(0).empty());
  CHECK(jobs::from_binary_digits({}) == 0);
}

TEST_CASE("long products equal GMP's on both sides of every threshold") {
  for (const std::size_t bits : {1, 64, 1'000, 127'999, 128'001, 191'999, 192'065, 500'000, 3'000'000}) {
    const mpz_class a = random_bits(bits, 1);
    CHECK(jobs::long_product(a, a) == mpz_class(a * a));
    for (const std::size_t other : {std::size_t{1}, bits / 65 + 1, bits / 3 + 1, bits}) {
      const mpz_class b = random_bits(other, 2);
      CHECK(jobs::long_product(a, b) == mpz_class(a * b));
      CHECK(jobs::long_product(b, a) == mpz_class(a * b));
    }
  }
  const mpz_class ones = power(2, 1'000'000) - 1;
  CHECK(jobs::long_product(ones, ones) == power(2, 2'000'000) - power(2, 1'000'001) + 1);
}

TEST_CASE("factorials equal GMP's") {
  for (unsigned long n = 0; n <= 600; ++n) {
    if (jobs::factorial(n) != gmp_factorial(n)) FAIL(n << "!");
  }
  for (const unsigned long n : {4999, 10'000, 65'536, 200'003}) CHECK(jobs::factorial(n) == gmp_factorial(n));
}

TEST_CASE("the shares of a factorial multiply to it, however many there are") {
  for (const unsigned long n : {0, 1, 2, 3, 10, 1'000, 30'000}) {
    for (const std::uint32_t shares : {1, 2, 3, 7, 64}) {
      mpz_class product = 1;
      for (std::uint32_t share = 0; share < shares; ++share) product *= jobs::factorial_share(n, share, shares);
      CHECK(mpz_class(product << jobs::exponent_in_factorial(n, 2)) == gmp_factorial(n));
    }
  }
}

TEST_CASE("Legendre's formula counts the factors of a factorial") {
  for (const unsigned long n : {0, 1, 2, 4, 5, 24, 25, 26, 1'000}) {
    for (const unsigned long p : {2, 3, 5, 7, 997}) {
      mpz_class rest;
      const auto removed = mpz_remove(rest.get_mpz_t(), gmp_factorial(n).get_mpz_t(), mpz_class(p).get_mpz_t());
      CHECK(jobs::exponent_in_factorial(n, p) == removed);
    }
  }
  CHECK(jobs::exponent_in_factorial(100'000'000, 5) == 24'999'999);
}

TEST_CASE("decimal digits equal GMP's") {
  for (const std::size_t bits : {1, 59, 60, 64, 1'000, 39'999, 40'000, 40'001, 79'999, 80'000, 80'001, 1'000'003}) {
    for (const mpz_class& n : {random_bits(bits, 5), power(2, bits), mpz_class(power(2, bits) - 1)}) {
      CHECK(text_of(jobs::to_decimal(n)) == n.get_str());
    }
  }
  for (const unsigned long digits : {1, 17, 18, 19, 36, 37, 50'000}) {
    for (const mpz_class& n : {power(10, digits), mpz_class(power(10, digits) - 1)}) {
      CHECK(text_of(jobs::to_decimal(n)) == n.get_str());
      CHECK(jobs::decimal_length(jobs::to_decimal(n)) == n.get_str().size());
    }
  }
  CHECK(text_of(jobs::to_decimal(0)) == "0");
  CHECK(jobs::decimal_length({}) == 1);
}

TEST_CASE("leading digits are exact, also next to powers of ten") {
  for (const unsigned long exponent : {0, 1, 7, 8, 20, 307, 308, 309, 1'000, 20'000}) {
    for (const long offset : {-1, 0, 1}) {
      for (const unsigned long start : {1, 12'345'678, 99'999'999}) {
        const mpz_class n = power(10, exponent) * start + offset;
        if (n <= 0) continue;
        const std::string text = n.get_str();
        for (const auto& found : {jobs::leading_digits_of(n), jobs::leading_digits_of(jobs::to_decimal(n))}) {
          CHECK(found.count == text.size());
          CHECK(found.first == text.substr(0, jobs::shown_digits));
        }
        const auto shifted = jobs::leading_digits_of(n, 777);
        const std::string shifted_text = mpz_class(n << 777).get_str();
        CHECK(shifted.count == shifted_text.size());
        CHECK(shifted.first == shifted_text.substr(0, jobs::shown_digits));
      }
    }
  }
}

TEST_CASE("the length in bits of a decimal number is exact, also next to powers of two") {
  for (const unsigned long exponent : {1, 59, 64, 200, 239, 1'000, 30'000}) {
    CHECK(jobs::bit_length(jobs::to_decimal(power(2, exponent))) == exponent + 1);
    CHECK(jobs::bit_length(jobs::to_decimal(power(2, exponent) - 1)) == exponent);
  }
}

TEST_CASE("the last digits that are not zero follow from n alone") {
  for (unsigned long n = 0; n <= 3'000; ++n) {
    std::string text = gmp_factorial(n).get_str();
    text.resize(text.find_last_not_of('0') + 1);
    const std::string expected = text.substr(text.size() - std::min<std::size_t>(text.size(), jobs::shown_digits));
    if (jobs::last_nonzero_digits(n) != expected) FAIL(n << "!: " << jobs::last_nonzero_digits(n) << ", not " << expected);
  }
  // Covers more than a whole period of 5^8 numbers.
  const std::string text = gmp_factorial(500'000).get_str();
  const std::size_t end = text.find_last_not_of('0') + 1;
  CHECK(jobs::last_nonzero_digits(500'000) == text.substr(end - jobs::shown_digits, jobs::shown_digits));
}

TEST_CASE("residues of a value, of its digits and of the factors agree") {
  for (const unsigned long n : {0, 1, 2, 3, 100, 1'001, 20'000}) {
    const mpz_class value = gmp_factorial(n);
    CHECK(jobs::residues_of(value) == jobs::residues_of(jobs::to_decimal(value)));
    CHECK(jobs::residues_of(value) == jobs::residues_of_range(1, n));
    const jobs::residues low = jobs::residues_of_range(1, n / 2);
    CHECK(jobs::residues_of(value) == jobs::multiply_residues(low, jobs::residues_of_range(n / 2 + 1, n)));
  }
  CHECK(jobs::residues_of(power(3, 1'000)) == jobs::residues_of_power(3, 1'000));
}

TEST_CASE("a report has the figures of the value, and refuses a wrong value") {
  const mpz_class value = gmp_factorial(1'000);
  const auto from_value = jobs::report_on(1'000, value, 0);
  const auto from_digits = jobs::report_on(1'000, jobs::to_decimal(value), true);
  CHECK(jobs::line_for(from_value) == "1000!: 2568 digits, first 40238726, last non-zero 27753472, 249 trailing zeros, 8530 bits");
  CHECK(jobs::line_for(from_digits) == jobs::line_for(from_value));
  CHECK_NOTHROW(jobs::verify(from_value, jobs::residues_of_range(1, 1'000)));
  CHECK_NOTHROW(jobs::verify(from_digits, jobs::residues_of_range(1, 1'000)));
  CHECK_THROWS_AS(jobs::verify(from_value, jobs::residues_of_range(1, 999)), std::runtime_error);
  CHECK_THROWS_AS(jobs::report_on(1'000, value * 2, 0), std::runtime_error);
  CHECK_THROWS_AS(jobs::report_on(1'000, jobs::to_decimal(value * 10), true), std::runtime_error);
}
