#include "factorial/report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "factorial/figures.hpp"
#include "factorial/shares.hpp"

namespace jobs {
namespace {

[[noreturn]] void fail(std::uint64_t n, const std::string& what) {
  throw std::runtime_error("the computed value of " + std::to_string(n) + "! is wrong: " + what);
}

std::uint64_t trailing_zeros(const digit_vector& decimal) {
  const auto first = std::find_if(decimal.begin(), decimal.end(), [](std::uint64_t digit) { return digit != 0; });
  auto zeros = static_cast<std::uint64_t>(first - decimal.begin()) * decimal_radix::digits;
  if (first == decimal.end()) return zeros;
  for (std::uint64_t digit = *first; digit % 10 == 0; digit /= 10) ++zeros;
  return zeros;
}

}  // namespace

factorial_report report_on(std::uint64_t n, const mpz_class& value, std::uint64_t shift) {
  if (shift + mpz_scan1(value.get_mpz_t(), 0) != exponent_in_factorial(n, 2)) fail(n, "its power of two");
  const leading_digits leading = leading_digits_of(value, shift);
  return {n,
          leading.count,
          leading.first,
          last_nonzero_digits(n),
          exponent_in_factorial(n, 5),
          mpz_sizeinbase(value.get_mpz_t(), 2) + shift,
          multiply_residues(residues_of(value), residues_of_power(2, shift))};
}

factorial_report report_on(std::uint64_t n, const digit_vector& decimal, bool with_remainders) {
  const std::uint64_t zeros = trailing_zeros(decimal);
  if (zeros != exponent_in_factorial(n, 5)) fail(n, "its trailing zeros");
  const leading_digits leading = leading_digits_of(decimal);
  return {n,
          leading.count,
          leading.first,
          last_nonzero_digits(n),
          zeros,
          bit_length(decimal),
          with_remainders ? residues_of(decimal) : residues{}};
}

std::string line_for(const factorial_report& r) {
  return std::to_string(r.n) + "!: " + std::to_string(r.digits) + " digits, first " + r.first + ", last non-zero " + r.last + ", " +
         std::to_string(r.zeros) + " trailing zeros, " + std::to_string(r.bits) + " bits";
}

std::string json_for(const std::vector<factorial_report>& reports) {
  auto all = nlohmann::ordered_json::array();
  for (const factorial_report& r : reports) {
    all.push_back({{"n", r.n}, {"digits", r.digits}, {"first", r.first}, {"last", r.last}, {"zeros", r.zeros}, {"bits", r.bits}});
  }
  return all.dump();
}

void verify(const factorial_report& report, const residues& expected) {
  if (report.remainders != expected) fail(report.n, "its remainder modulo 2^32 - 5, 2^32 - 17 or 2^32 - 65");
}

}  // namespace jobs
