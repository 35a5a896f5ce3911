// Tests what --verify relies on: formulas, residues and second tests accept correct results and detect wrong ones.
#include <gmpxx.h>

#include <string>

#include "engine/printed_sum.hpp"
#include "support/catch.hpp"
#include "support/closed_form.hpp"
#include "support/prime.hpp"
#include "support/residue.hpp"
#include "support/usage_error.hpp"

using namespace jobs;

TEST_CASE("sums in closed form equal those of a loop, also below zero") {
  for (const long from : {-7L, -1L, 0L, 1L, 5L}) {
    mpz_class squares = 0;
    mpz_class cubes = 0;
    for (long to = from; to < from + 20; ++to) {
      squares += to * to;
      cubes += to * to * to;
      CHECK(sum_of_squares(from, to) == squares);
      CHECK(sum_of_cubes(from, to) == cubes);
    }
  }
}

TEST_CASE("the sum of the last numbers of lines includes signs and numbers of any length") {
  CHECK(sum_of_last_numbers("") == 0);
  CHECK(sum_of_last_numbers("Cube: -8\nCube: 1\nSquare of 3: 100000000000000000000\n") == mpz_class("99999999999999999993"));
}

TEST_CASE("the residue of a decimal text equals the residue of its number") {
  const mpz_class n("123456789012345678901234567890123456789012345678901234567890");
  for (const std::uint64_t p : check_primes) {
    CHECK(residue_of_digits(n.get_str(), p) == mpz_fdiv_ui(n.get_mpz_t(), p));
    CHECK(residue_of_digits("7", p) == 7);
  }
}

TEST_CASE("Fibonacci numbers modulo a prime equal the residues of the numbers") {
  for (const unsigned long n : {0UL, 1UL, 2UL, 3UL, 93UL, 94UL, 1000UL, 65'537UL}) {
    mpz_class value;
    mpz_fib_ui(value.get_mpz_t(), n);
    for (const std::uint64_t p : check_primes) CHECK(fibonacci_mod(n, p) == mpz_fdiv_ui(value.get_mpz_t(), p));
  }
}

TEST_CASE("the second primality test confirms only right answers") {
  const auto right = [](const char* n, primality answer) { return confirms(mpz_class(n), answer); };
  for (const char* prime : {"2", "3", "41", "43", "97", "4294967291", "4294967311", "18446744073709551557",
                            "170141183460469231731687303715884105727"}) {
    CHECK(right(prime, primality::prime));
    CHECK_FALSE(right(prime, primality::composite));
  }
  for (const char* other : {"0", "1", "-7"}) {
    CHECK(right(other, primality::neither));
    CHECK_FALSE(right(other, primality::composite));
    CHECK_FALSE(right(other, primality::prime));
  }
  // Composite numbers: squares, Carmichael numbers, strong pseudoprimes to many bases, and products of two large primes.
  for (const char* other : {"4", "1849", "561", "1729", "3215031751", "3825123056546413051", "340561", "18446744073709551615",
                            "318665857834031151167461", "3317044064679887385961981", "18446743979220271189"}) {
    CHECK(right(other, primality::composite));
    CHECK_FALSE(right(other, primality::prime));
  }
}
