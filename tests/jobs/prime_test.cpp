// Primality against numbers made to deceive a test.
#include "support/prime.hpp"

#include <vector>

#include "support/catch.hpp"

using jobs::is_prime;
using jobs::judge;
using jobs::primality;

TEST_CASE("all numbers below 200,000 agree with a sieve") {
  constexpr std::uint64_t limit = 200'000;
  std::vector<bool> composite(limit);
  for (std::uint64_t n = 2; n < limit; ++n) {
    for (std::uint64_t multiple = n * n; !composite[n] && multiple < limit; multiple += n) composite[multiple] = true;
  }
  std::uint64_t disagreements = is_prime(0) + is_prime(1);
  for (std::uint64_t n = 2; n < limit; ++n) disagreements += is_prime(n) == composite[n];
  CHECK(disagreements == 0);
}

TEST_CASE("known primes are prime") {
  for (const std::uint64_t p : std::vector<std::uint64_t>{
           112272535095293U, 112582705942171U, 115280095190773U, 2147483647U, 4294967291U, 4294967311U, 1000000000039U,
           999999999999999989U, 2305843009213693951U, 9223372036854775783U, 18446744073709551533U, 18446744073709551557U}) {
    INFO(p);
    CHECK(is_prime(p));
  }
}

TEST_CASE("Carmichael numbers are composite") {
  for (const std::uint64_t n : std::vector<std::uint64_t>{561U, 1105U, 1729U, 2465U, 2821U, 6601U, 8911U, 10585U, 15841U, 29341U,
                                                          825265U, 321197185U, 5394826801U, 232250619601U, 9746347772161U,
                                                          1436697831295441U, 60977817398996785U, 7156857700403137441U}) {
    INFO(n);
    CHECK_FALSE(is_prime(n));
  }
}

TEST_CASE("strong pseudoprimes to many bases are composite") {
  // The least strong pseudoprimes to the first 1, 2, 3, ... 9 primes together.
  for (const std::uint64_t n : std::vector<std::uint64_t>{2047U, 1373653U, 25326001U, 3215031751U, 2152302898747U, 3474749660383U,
                                                          341550071728321U, 3825123056546413051U}) {
    INFO(n);
    CHECK_FALSE(is_prime(n));
  }
  // Beyond 64 bits: to the first 12 primes, and to the first 13.
  CHECK(judge(mpz_class("318665857834031151167461"), 1) == primality::composite);
  CHECK(judge(mpz_class("3317044064679887385961981"), 1) == primality::composite);
}

TEST_CASE("squares and products of large primes are composite") {
  CHECK_FALSE(is_prime(4294967291U * std::uint64_t{4294967291U}));
  CHECK_FALSE(is_prime(4294967279U * std::uint64_t{4294967291U}));
  CHECK_FALSE(is_prime(18446744073709551615U));
  CHECK(judge(mpz_class("18446744073709551557") * mpz_class("18446744073709551533"), 1) == primality::composite);
}

TEST_CASE("an answer says prime only where that is proven") {
  CHECK(judge(mpz_class("18446744073709551629"), 5) == primality::prime);       // 2^64 + 13
  CHECK(judge(mpz_class("3317044064679887385961813"), 5) == primality::prime);  // below the proven bound
  CHECK(judge(mpz_class("3317044064679887385962123"), 5) != primality::prime);  // above it
  const mpz_class mersenne = (mpz_class(1) << 521) - 1;
  CHECK(judge(mersenne, 5) == primality::probably_prime);
  CHECK(judge(mersenne * mersenne, 5) == primality::composite);
}

TEST_CASE("a number below two is neither prime nor composite") {
  for (const int n : {1, 0, -7}) {
    CHECK(judge(mpz_class(n), 5) == primality::neither);
    CHECK(jobs::confirms(n, primality::neither));
    CHECK_FALSE(jobs::confirms(n, primality::composite));
  }
  CHECK(jobs::judge(std::uint64_t{1}) == primality::neither);
  CHECK_FALSE(jobs::confirms(2, primality::neither));
  CHECK_FALSE(jobs::confirms(4, primality::neither));
}
