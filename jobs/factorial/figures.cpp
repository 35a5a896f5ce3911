#include "factorial/figures.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "factorial/decimal.hpp"
#include "factorial/shares.hpp"

namespace jobs {
namespace {

// The interval [low, high] · 2^exponent. Its bounds have about 320 bits and are rounded outwards.
struct bounds {
  mpz_class low, high;
  long exponent = 0;

  void shorten() {
    const std::size_t bits = mpz_sizeinbase(high.get_mpz_t(), 2);
    if (bits <= 320) return;
    const mp_bitcnt_t excess = bits - 320;
    mpz_fdiv_q_2exp(low.get_mpz_t(), low.get_mpz_t(), excess);
    mpz_cdiv_q_2exp(high.get_mpz_t(), high.get_mpz_t(), excess);
    exponent += static_cast<long>(excess);
  }
  friend bounds operator*(const bounds& a, const bounds& b) {
    bounds product{a.low * b.low, a.high * b.high, a.exponent + b.exponent};
    product.shorten();
    return product;
  }
};

bounds power_of_ten(std::uint64_t exponent) {
  bounds result{1, 1, 0};
  for (int bit = std::bit_width(exponent); bit-- > 0;) {
    result = result * result;
    if (exponent >> bit & 1) result = result * bounds{10, 10, 0};
  }
  return result;
}

// Returns floor(a / b · 2^shift).
mpz_class scaled_quotient(const mpz_class& a, const mpz_class& b, long shift) {
  return shift >= 0 ? mpz_class((a << static_cast<mp_bitcnt_t>(shift)) / b)
                    : mpz_class(a / (b << static_cast<mp_bitcnt_t>(-shift)));
}

// Returns floor(n · 2^twos / 10^exponent), which must be below about 2^64; n must have more than 256 bits.
mpz_class leading_quotient(const mpz_class& n, std::uint64_t twos, std::uint64_t exponent) {
  const std::size_t cut = mpz_sizeinbase(n.get_mpz_t(), 2) - 256;
  const mpz_class top = n >> cut;
  const bounds power = power_of_ten(exponent);
  const long shift = static_cast<long>(cut + twos) - power.exponent;
  const mpz_class least = scaled_quotient(top, power.high, shift);
  const mpz_class most = scaled_quotient(top + 1, power.low, shift);
  if (least == most) return least;
  mpz_class exact;  // the quotient is within 2^-190 of an integer: all bits of n are needed
  mpz_ui_pow_ui(exact.get_mpz_t(), 10, exponent);
  exact *= most;
  return (n << twos) >= exact ? most : least;
}

constexpr std::uint64_t five_power = 390'625;   // 5^8
constexpr std::uint64_t two_power = 256;        // 2^8
constexpr std::uint64_t modulus = 100'000'000;  // 10^8
static_assert(five_power * two_power == modulus && shown_digits == 8);

std::uint64_t power_mod_five(std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1, base = base * base % five_power) {
    if (exponent & 1) result = result * base % five_power;
  }
  return result;
}

// Returns n! without its factors 5, modulo 5^8. The product over a period of 5^8 of the numbers prime to 5 is -1 (Wilson, Gauss).
std::uint64_t without_fives(std::uint64_t n) {
  std::uint64_t result = 1;
  for (; n != 0; n /= 5) {
    if (n / five_power % 2 == 1) result = five_power - result;
    for (std::uint64_t i = n - n % five_power + 1; i <= n; ++i) {
      if (i % 5 != 0) result = result * (i % five_power) % five_power;
    }
  }
  return result;
}

}  // namespace

leading_digits leading_digits_of(const mpz_class& n, std::uint64_t shift) {
  const std::size_t bits = mpz_sizeinbase(n.get_mpz_t(), 2);
  if (bits <= 1024) {
    const std::string text = mpz_class(n << shift).get_str();
    return {text.size(), text.substr(0, shown_digits)};
  }
  // The first estimate is off by at most one; the length of the quotient corrects it.
  auto count = static_cast<std::uint64_t>(static_cast<double>(bits + shift) * std::numbers::ln2 / std::numbers::ln10) + 1;
  for (;;) {
    const std::string first = leading_quotient(n, shift, count - shown_digits).get_str();
    if (first.size() == shown_digits) return {count, first};
    count += first.size() - shown_digits;  // wraps around if `first` is shorter, as intended
  }
}

leading_digits leading_digits_of(const digit_vector& decimal) {
  std::string first = decimal.empty() ? "0" : std::to_string(decimal.back());
  if (decimal.size() > 1) detail::append_places(first, decimal[decimal.size() - 2]);
  return {decimal_length(decimal), first.substr(0, shown_digits)};
}

std::uint64_t bit_length(const digit_vector& decimal) {
  mpz_class top;
  std::size_t rest = decimal.size();
  for (int taken = 0; taken < 4 && rest > 0; ++taken)
    top = top * static_cast<unsigned long>(decimal_radix::value) + static_cast<unsigned long>(decimal[--rest]);
  const bounds value = bounds{top, top + (rest > 0 ? 1 : 0), 0} * power_of_ten(rest * decimal_radix::digits);
  const auto length = [&](const mpz_class& end) {
    return mpz_sizeinbase(end.get_mpz_t(), 2) + static_cast<std::uint64_t>(value.exponent);
  };
  if (length(value.low) == length(value.high)) return length(value.low);
  const digit_vector power = to_decimal(mpz_class(1) << length(value.low));  // compares the number with a power of two
  const bool below = decimal.size() != power.size()
                         ? decimal.size() < power.size()
                         : std::lexicographical_compare(decimal.rbegin(), decimal.rend(), power.rbegin(), power.rend());
  return length(value.low) + (below ? 0 : 1);
}

std::string last_nonzero_digits(std::uint64_t n) {
  const std::uint64_t zeros = exponent_in_factorial(n, 5);
  if (n < 50) {  // fewer digits than are shown, or fewer than 8 factors of two
    std::string text = factorial(n).get_str();
    text.resize(text.size() - zeros);
    return text.substr(text.size() - std::min<std::size_t>(text.size(), shown_digits));
  }
  // n! without trailing zeros is 0 modulo 2^8, and n! / 5^zeros / 2^zeros modulo 5^8; the Chinese remainder theorem joins both.
  constexpr std::uint64_t order = five_power / 5 * 4;
  const std::uint64_t half = (five_power + 1) / 2;
  const std::uint64_t residue = without_fives(n) * power_mod_five(half, zeros) % five_power;
  const std::uint64_t digits = two_power * (residue * power_mod_five(two_power, order - 1) % five_power);
  const std::string text = std::to_string(digits);
  return std::string(shown_digits - text.size(), '0') + text;
}

}  // namespace jobs
