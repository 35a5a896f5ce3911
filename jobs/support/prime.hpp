// Is a number prime? The answer is proven up to `proven_digits` digits.
//
// Below 2^64 a Miller-Rabin test to seven fixed bases (Jim Sinclair's set, checked against all 2-pseudoprimes below 2^64) decides;
// below 3.3e24 the first thirteen primes as bases do (Sorenson and Webster, 2015). Above, GMP's BPSW test finds composite numbers,
// and FLINT proves primes. "composite" is always proven.
#pragma once

#include <gmpxx.h>

#include <cstdint>

namespace jobs {

enum class primality { neither, composite, prime, probably_prime };  // neither: below 2

/// Decides, in a few microseconds for a prime.
bool is_prime(std::uint64_t n);

/// judge() proves primes of at most so many decimal digits. A proof takes up to 0.1 s for 100 digits, 0.6 s for 200 and 3 s for
/// 300, and twice as long for every 70 digits more.
inline constexpr std::size_t proven_digits = 300;

/// What judge() does with numbers above 3.3e24.
struct primality_test {
  int rounds = 20;    // of Miller-Rabin after BPSW where there is no proof: a composite number passes each with a chance below 1/4
  bool fast = false;  // no proof
};

/// Judges a number of any size. Above 3.3e24, the answer is `probably_prime` if the test is fast or the number is longer than
/// `proven_digits`. Thread safety: any thread.
primality judge(const mpz_class& n, const primality_test& test);
primality judge(std::uint64_t n);

/// Whether another method comes to the same answer. For a composite number it finds a divisor or a witness. It proves primes below
/// 3.1e23 by twelve bases with GMP's arithmetic. Larger primes must pass these bases, and proven ones also GMP's BPSW test.
bool confirms(const mpz_class& n, primality answer);

}  // namespace jobs
