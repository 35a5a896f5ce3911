// Is a number prime? Proven where a proof is known to hold, and said to be probable where none is.
//
// Below 2^64 a Miller-Rabin test to seven fixed bases (Jim Sinclair's set, checked against all 2-pseudoprimes below 2^64)
// decides; below 3.3e24 the first thirteen primes as bases do (Sorenson and Webster, 2015). Beyond, GMP's BPSW
// test plus rounds of Miller-Rabin: "composite" is always a proof, "prime" is not.
#pragma once

#include <gmpxx.h>

#include <cstdint>

namespace jobs {

enum class primality { neither, composite, prime, probably_prime };  // neither: below 2

/// Decides, in a few microseconds for a prime.
bool is_prime(std::uint64_t n);

/// Judges a number of any size. `rounds` of Miller-Rabin follow BPSW where nothing proves the answer: each would let a composite
/// number pass with a chance below 1/4.
primality judge(const mpz_class& n, int rounds);
primality judge(std::uint64_t n);

/// Whether another test than the one that gave it comes to the same answer: a composite number is shown a witness or a
/// divisor; a prime below 3.1e23 is proven by its first twelve bases with GMP's arithmetic, a larger one put to GMP's or to
/// more bases.
bool confirms(const mpz_class& n, primality answer);

}  // namespace jobs
