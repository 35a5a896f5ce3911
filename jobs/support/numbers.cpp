#include "support/numbers.hpp"

#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "support/in_quotes.hpp"

namespace jobs {
namespace {

constexpr std::uint64_t most_digits = 100'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A parser of one sum, from left to right. Every method consumes the characters that it parsed.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text), rest_(text) {}

  mpz_class sum() {
    mpz_class total;
    bool negative = consume('-');
    if (!negative) consume('+');
    while (true) {
      const mpz_class term = power();
      if (negative) {
        total -= term;
      } else {
        total += term;
      }
      if (rest_.empty()) return total;
      negative = consume('-');
      if (!negative && !consume('+')) refuse();
    }
  }

 private:
  mpz_class power() {
    mpz_class base = decimal();
    if (!consume('^')) return base;
    const std::uint64_t exponent = count();
    const double digits = base == 0 ? 0 : static_cast<double>(mpz_sizeinbase(base.get_mpz_t(), 2)) * std::log10(2.0);
    if (base > 1 && digits * static_cast<double>(exponent) > static_cast<double>(most_digits)) too_long();
    if (base <= 1) return exponent == 0 ? mpz_class(1) : base;
    mpz_pow_ui(base.get_mpz_t(), base.get_mpz_t(), exponent);
    return base;
  }

  mpz_class decimal() {
    std::string figures = digits();
    std::uint64_t decimals = 0;
    if (consume('.')) {
      const std::string fraction = digits();
      decimals = fraction.size();
      figures += fraction;
    }
    if (consume('e') || consume('E')) {
      consume('+');
      const std::uint64_t exponent = count();
      if (exponent > most_digits) too_long();
      if (exponent >= decimals) {
        figures.append(exponent - decimals, '0');
        decimals = 0;
      } else {
        decimals -= exponent;
      }
    }
    // The digits that remain after the decimal point must be zeros, as in 1.50e1 or 2.0.
    for (; decimals > 0; --decimals) {
      if (figures.back() != '0') refuse();
      figures.pop_back();
    }
    if (figures.size() > most_digits) too_long();
    return mpz_class(figures, 10);
  }

  /// Parses a short count, such as an exponent.
  std::uint64_t count() {
    const std::string figures = digits();
    if (figures.size() > 18) too_long();
    return std::stoull(figures);
  }

  /// Parses digits with single underscores between them.
  std::string digits() {
    std::string figures;
    while (!rest_.empty()) {
      const bool separator = rest_.front() == '_' && !figures.empty() && rest_.size() > 1 && is_digit(rest_[1]);
      if (!separator && !is_digit(rest_.front())) break;
      if (!separator) figures += rest_.front();
      rest_.remove_prefix(1);
    }
    if (figures.empty()) refuse();
    return figures;
  }

  bool consume(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  [[noreturn]] void refuse() const {
    throw std::invalid_argument(in_quotes(text_) + " is not a whole number (write it as 1000000, 10_000, 1e12 or 2^40)");
  }
  [[noreturn]] void too_long() const { throw std::invalid_argument(in_quotes(text_) + " has more than 10^8 digits"); }

  std::string_view text_;
  std::string_view rest_;
};

/// Returns a number in a readable form: 1e12, 2^63-1, 65536.
std::string short_text(const mpz_class& value) {
  if (value < 0) return std::string("-").append(short_text(-value));
  const mpz_class next = value + 1;
  const auto power_of_two = [](const mpz_class& n) { return mpz_popcount(n.get_mpz_t()) == 1; };
  if (value > 100'000 && power_of_two(value)) return "2^" + std::to_string(mpz_sizeinbase(value.get_mpz_t(), 2) - 1);
  if (value > 100'000 && power_of_two(next)) return "2^" + std::to_string(mpz_sizeinbase(next.get_mpz_t(), 2) - 1) + "-1";
  std::string text = value.get_str();
  const std::size_t zeros = text.size() - 1 - text.find_last_not_of('0');
  if (value == 0 || zeros < 6) return text;
  return text.substr(0, text.size() - zeros) + "e" + std::to_string(zeros);
}

}  // namespace

mpz_class parse_integer(std::string_view text) { return reader(text).sum(); }

mpz_class parse_integer(std::string_view text, const mpz_class& least, const mpz_class& most) {
  mpz_class value = parse_integer(text);
  if (value < least || value > most) throw std::out_of_range("not a whole number " + range_text(least, most));
  return value;
}

std::string range_text(const mpz_class& least, const mpz_class& most) {
  return "from " + short_text(least) + " to " + short_text(most);
}

}  // namespace jobs
