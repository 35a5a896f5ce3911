#include "factorial/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace jobs {
namespace {

// Numbers of up to this many bits are converted by GMP.
constexpr std::size_t leaf_bits = 40'000;

digit_vector leaf_to_decimal(const mpz_class& n) {
  const std::string text = n.get_str();
  digit_vector digits(text.size() / decimal_radix::digits + 1);
  const char* end = text.data() + text.size();
  for (std::uint64_t& digit : digits) {
    const char* const begin = end - std::min<std::ptrdiff_t>(decimal_radix::digits, end - text.data());
    std::uint64_t value = 0;
    for (const char* c = begin; c != end; ++c) value = 10 * value + static_cast<std::uint64_t>(*c - '0');
    digit = value;
    end = begin;
  }
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  return digits;
}

class converter {
 public:
  explicit converter(const mpz_class& n) : n_(n) {
    const std::size_t bits = mpz_sizeinbase(n.get_mpz_t(), 2);
    unsigned levels = 0;
    while (bits >> levels > leaf_bits) ++levels;
    leaf_ = (bits >> levels) + 1;
    for (unsigned level = 0; level < levels; ++level) {
      powers_.push_back(level == 0 ? leaf_to_decimal(mpz_class(1) << leaf_)
                                   : multiply_digits<decimal_radix>(powers_.back(), powers_.back()));
    }
  }

  digit_vector value() const { return part(powers_.size(), 0); }

 private:
  // Converts bits [start, start + leaf·2^level) of the number.
  digit_vector part(std::size_t level, std::size_t start) const {
    if (level == 0) return leaf_to_decimal(leaf(start));
    digit_vector low = part(level - 1, start);
    const digit_vector high = part(level - 1, start + (leaf_ << (level - 1)));
    add_digits<decimal_radix>(low, multiply_digits<decimal_radix>(high, powers_[level - 1]));
    return low;
  }

  // Reads only the limbs of the leaf: shifting the whole number would copy it once per leaf.
  mpz_class leaf(std::size_t start) const {
    const std::size_t first = start / GMP_NUMB_BITS;
    const std::size_t size = mpz_size(n_.get_mpz_t());
    if (first >= size) return 0;
    const std::size_t count = std::min(size - first, leaf_ / GMP_NUMB_BITS + 2);
    mpz_t limbs;
    mpz_class bits;
    mpz_fdiv_q_2exp(bits.get_mpz_t(), mpz_roinit_n(limbs, mpz_limbs_read(n_.get_mpz_t()) + first, static_cast<mp_size_t>(count)),
                    start % GMP_NUMB_BITS);
    mpz_fdiv_r_2exp(bits.get_mpz_t(), bits.get_mpz_t(), leaf_);
    return bits;
  }

  const mpz_class& n_;
  std::size_t leaf_;                  // size of a leaf in bits
  std::vector<digit_vector> powers_;  // [i]: 2^(leaf · 2^i)
};

}  // namespace

digit_vector to_decimal(const mpz_class& n) { return converter(n).value(); }

std::uint64_t decimal_length(const digit_vector& digits) {
  if (digits.empty()) return 1;
  return (digits.size() - 1) * decimal_radix::digits + std::to_string(digits.back()).size();
}

void detail::append_places(std::string& text, std::uint64_t digit) {
  char places[decimal_radix::digits];
  for (int i = decimal_radix::digits; i-- > 0; digit /= 10) places[i] = static_cast<char>('0' + digit % 10);
  text.append(places, sizeof places);
}

}  // namespace jobs
