// Tests primality tests with numbers that deceive weaker ones.
#include "support/prime.hpp"

#include <atomic>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using jobs::is_prime;
using jobs::judge;
using jobs::primality;
using jobs::primality_test;

namespace {

mpz_class power_of_ten(unsigned long exponent) {
  mpz_class power;
  mpz_ui_pow_ui(power.get_mpz_t(), 10, exponent);
  return power;
}

mpz_class mersenne(unsigned long exponent) { return (mpz_class(1) << exponent) - 1; }

/// F. Arnault's Carmichael number of 397 digits, a strong pseudoprime to all prime bases below 307 (Constructing Carmichael numbers
/// which are strong pseudoprimes to several bases, 1995).
mpz_class arnault() {
  const mpz_class p(
      "2967449566868551055015417464290533273077199179985304335099507553127683875317177019959423859642812118803366475421834556249316"
      "8782883");
  return p * (313 * (p - 1) + 1) * (353 * (p - 1) + 1);
}

}  // namespace

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
  // The smallest strong pseudoprimes to the first 1, 2, 3, ... 9 primes as bases.
  for (const std::uint64_t n : std::vector<std::uint64_t>{2047U, 1373653U, 25326001U, 3215031751U, 2152302898747U, 3474749660383U,
                                                          341550071728321U, 3825123056546413051U}) {
    INFO(n);
    CHECK_FALSE(is_prime(n));
  }
  // The smallest ones beyond 64 bits, to the first 12 primes and to the first 13.
  CHECK(judge(mpz_class("318665857834031151167461"), {.rounds = 1}) == primality::composite);
  CHECK(judge(mpz_class("3317044064679887385961981"), {.rounds = 1}) == primality::composite);
}

TEST_CASE("squares and products of large primes are composite") {
  CHECK_FALSE(is_prime(4294967291U * std::uint64_t{4294967291U}));
  CHECK_FALSE(is_prime(4294967279U * std::uint64_t{4294967291U}));
  CHECK_FALSE(is_prime(18446744073709551615U));
  CHECK(judge(mpz_class("18446744073709551557") * mpz_class("18446744073709551533"), {.rounds = 1}) == primality::composite);
}

TEST_CASE("products of large primes, and long Carmichael numbers, are composite") {
  const mpz_class p_61 = mersenne(61), p_127 = mersenne(127), p_521 = mersenne(521);
  mpz_class next_to_p_521;
  mpz_nextprime(next_to_p_521.get_mpz_t(), p_521.get_mpz_t());
  // The number (6k + 1)(12k + 1)(18k + 1) is a Carmichael number if all three factors are prime.
  const mpz_class k("10000000000000000000000000000000000000000028985");
  const mpz_class chernick = (6 * k + 1) * (12 * k + 1) * (18 * k + 1);
  for (const primality_test& test : {primality_test{}, primality_test{.rounds = 1, .fast = true}}) {
    for (const mpz_class& n : {mpz_class(p_61 * p_127), mpz_class(p_127 * p_127), mpz_class(p_521 * p_127),
                               mpz_class(p_521 * next_to_p_521), arnault(), chernick}) {
      INFO(n);
      CHECK(judge(n, test) == primality::composite);
    }
  }
}

TEST_CASE("numbers of up to 300 digits are proven to be prime") {
  for (const char* const text : {"18446744073709551629",       // 2^64 + 13
                                 "3317044064679887385961813",  // below the limit up to which 13 bases decide
                                 "3317044064679887385962123",  // above this limit
                                 "1000000000000000000000000000057"}) {
    INFO(text);
    CHECK(judge(mpz_class(text), {}) == primality::prime);
  }
  CHECK(judge(mersenne(127), {}) == primality::prime);
  CHECK(judge(mersenne(521), {}) == primality::prime);
  CHECK(judge(power_of_ten(99) + 289, {}) == primality::prime);
  CHECK(judge(power_of_ten(299) + 669, {}) == primality::prime);  // has 300 digits
}

TEST_CASE("a longer number is probably prime, unless it is composite") {
  mpz_class longer;
  mpz_nextprime(longer.get_mpz_t(), power_of_ten(jobs::proven_digits).get_mpz_t());
  CHECK(judge(longer, {.rounds = 1}) == primality::probably_prime);
  CHECK(judge(longer + 1, {}) == primality::composite);
  CHECK(judge(longer * mersenne(61), {}) == primality::composite);
}

TEST_CASE("a fast test proves only numbers that need no proof by FLINT") {
  const primality_test fast{.rounds = 5, .fast = true};
  CHECK(judge(mpz_class("3317044064679887385961813"), fast) == primality::prime);
  CHECK(judge(mpz_class("3317044064679887385962123"), fast) == primality::probably_prime);
  CHECK(judge(mersenne(127), fast) == primality::probably_prime);
  CHECK(judge(mersenne(127) * mersenne(127), fast) == primality::composite);
}

TEST_CASE("proofs run in several threads at once") {
  std::vector<std::thread> threads;
  std::atomic<int> proven = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(
        [&] { proven += judge(mersenne(127), {}) == primality::prime && judge(mersenne(129), {}) == primality::composite; });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(proven == 4);
}

TEST_CASE("a proof leaves GMP's memory functions as they are") {
  void* (*before[1])(std::size_t);
  void* (*after[1])(std::size_t);
  mp_get_memory_functions(before, nullptr, nullptr);
  CHECK(judge(mersenne(127), {}) == primality::prime);
  mp_get_memory_functions(after, nullptr, nullptr);
  CHECK(before[0] == after[0]);
}

TEST_CASE("the verification confirms right answers and refuses wrong ones") {
  for (const unsigned long exponent : {61, 89, 127, 521}) {
    INFO(exponent);
    const mpz_class p = mersenne(exponent);
    CHECK(jobs::confirms(p, primality::prime));
    CHECK_FALSE(jobs::confirms(p, primality::composite));
    CHECK(jobs::confirms(p * p, primality::composite));
    CHECK_FALSE(jobs::confirms(p * p, primality::prime));
    CHECK_FALSE(jobs::confirms(p * p, primality::probably_prime));
  }
  CHECK_FALSE(jobs::confirms(arnault(), primality::prime));
}

TEST_CASE("a number below two is neither prime nor composite") {
  for (const int n : {1, 0, -7}) {
    CHECK(judge(mpz_class(n), {}) == primality::neither);
    CHECK(jobs::confirms(n, primality::neither));
    CHECK_FALSE(jobs::confirms(n, primality::composite));
  }
  CHECK(jobs::judge(std::uint64_t{1}) == primality::neither);
  CHECK_FALSE(jobs::confirms(2, primality::neither));
  CHECK_FALSE(jobs::confirms(4, primality::neither));
}
