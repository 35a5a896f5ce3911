// Decides whether a number is prime. The answer is proven up to `proven_digits` digits.
//
// Below 2^64, a Miller-Rabin test to seven fixed bases decides (Jim Sinclair's set, checked against all 2-pseudoprimes below
// 2^64). Below 3.3e24, the first thirteen primes are sufficient bases (Sorenson and Webster, 2015). Above, GMP's BPSW test detects
// composite numbers, and FLINT proves primes. The answer "composite" is always proven.
#pragma once

#include <gmpxx.h>

#include <cstdint>

namespace jobs {

enum class primality { neither, composite, prime, probably_prime };  // neither: numbers below 2

/// Returns whether n is prime. Takes a few microseconds for a prime.
bool is_prime(std::uint64_t n);

/// The most decimal digits for which judge() proves primality. A proof takes up to 0.1 s for 100 digits, 0.6 s for 200 and 3 s for
/// 300; the time doubles with every further 70 digits.
inline constexpr std::size_t proven_digits = 300;

/// The treatment of numbers above 3.3e24 by judge().
struct primality_test {
  int rounds = 20;    // Miller-Rabin rounds after BPSW, without a proof; a composite number passes each with probability < 1/4
  bool fast = false;  // skip the proof
};

/// Returns whether a number of any size is prime. Above 3.3e24, the answer is `probably_prime` if the test is fast or the number
/// has more than `proven_digits` digits. Thread safety: any thread.
primality judge(const mpz_class& n, const primality_test& test);
primality judge(std::uint64_t n);

/// Returns whether another method gives the same answer. For a composite number, it finds a divisor or a witness. It proves primes
/// below 3.1e23 by twelve bases, with GMP. Larger primes must pass these bases; proven primes must also pass GMP's BPSW test.
bool confirms(const mpz_class& n, primality answer);

}  // namespace jobs
