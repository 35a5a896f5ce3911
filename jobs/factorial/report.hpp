// The figures of one factorial, made where its value is and small enough to travel instead of it.
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
  std::string first;        // digits, eight of them or all
  std::string last;         // digits before the trailing zeros, likewise
  std::uint64_t zeros = 0;  // at the end of the decimal digits
  std::uint64_t bits = 0;
  residues remainders{};  // of the value

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& n& digits& first& last& zeros& bits& remainders[0] & remainders[1] & remainders[2];
  }
};

/// Of n!, which is value · 2^shift. Throws: std::runtime_error if its factors of two are not those of n!.
factorial_report report_on(std::uint64_t n, const mpz_class& value, std::uint64_t shift);
/// Of n! in decimal; `with_remainders`: they are computed, else 0. Throws: std::runtime_error if the trailing zeros are not those
/// of n!.
factorial_report report_on(std::uint64_t n, const digit_vector& decimal, bool with_remainders);

/// `10!: 7 digits, first 3628800, last non-zero 36288, 2 trailing zeros, 22 bits`
std::string line_for(const factorial_report& report);

/// The same of each as a JSON array: [{"n":10,"digits":7,"first":"3628800", ...}]
std::string json_for(const std::vector<factorial_report>& reports);

/// Throws: std::runtime_error if the remainders are not `expected`, those of 1·2·…·n.
void verify(const factorial_report& report, const residues& expected);

}  // namespace jobs
