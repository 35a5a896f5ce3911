// What the job prints about a factorial: its number of digits, its first and last digits, and its remainders. A worker that holds
// the value computes them; they are small enough to send in its place.
#pragma once

#include <gmpxx.h>

#include <cstdint>
#include <string>
#include <vector>

#include "factorial/digits.hpp"
#include "factorial/verification.hpp"

namespace jobs {

struct factorial_report {
  std::uint64_t n = 0;
  std::uint64_t digits = 0;
  std::string first;        // the first eight digits, or all
  std::string last;         // the last eight digits before the trailing zeros, or all
  std::uint64_t zeros = 0;  // trailing zeros of the decimal digits
  std::uint64_t bits = 0;
  residues remainders{};  // residues of the value

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& n& digits& first& last& zeros& bits& remainders[0] & remainders[1] & remainders[2];
  }
};

/// Computes the figures of n! = value · 2^shift. Throws: std::runtime_error if the number of factors 2 differs from that of n!.
factorial_report report_on(std::uint64_t n, const mpz_class& value, std::uint64_t shift);
/// Computes the figures of n! from its decimal digits. `with_remainders`: also computes the remainders; otherwise they are 0.
/// Throws: std::runtime_error if the number of trailing zeros differs from that of n!.
factorial_report report_on(std::uint64_t n, const digit_vector& decimal, bool with_remainders);

/// Returns a line such as `10!: 7 digits, first 3628800, last non-zero 36288, 2 trailing zeros, 22 bits`.
std::string line_for(const factorial_report& report);

/// Returns the reports as a JSON array: [{"n":10,"digits":7,"first":"3628800", ...}]
std::string json_for(const std::vector<factorial_report>& reports);

/// Checks the residues of the value. Throws: std::runtime_error if they are not `expected`, the residues of 1·2·…·n.
void verify(const factorial_report& report, const residues& expected);

}  // namespace jobs
