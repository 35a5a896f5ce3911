#include "support/prime.hpp"

#include <flint/flint.h>
#include <flint/fmpz.h>

#include <algorithm>
#include <array>
#include <bit>

namespace jobs {
namespace {

/// Arithmetic modulo an odd number in Montgomery form: x is represented by x * 2^64, so that no operation needs a division.
class montgomery {
 public:
  explicit montgomery(std::uint64_t modulus) : modulus_(modulus), inverse_(modulus) {
    for (int bits = 3; bits < 64; bits *= 2) inverse_ *= 2 - modulus * inverse_;  // Newton: doubles the correct bits each step
    one_ = -modulus % modulus;
    square_ = static_cast<std::uint64_t>(static_cast<unsigned __int128>(one_) * one_ % modulus);
  }

  std::uint64_t one() const { return one_; }
  std::uint64_t minus_one() const { return modulus_ - one_; }
  std::uint64_t enter(std::uint64_t x) const { return times(x, square_); }

  std::uint64_t times(std::uint64_t a, std::uint64_t b) const {
    const auto product = static_cast<unsigned __int128>(a) * b;
    const std::uint64_t quotient = static_cast<std::uint64_t>(product) * inverse_;
    const auto high = static_cast<std::uint64_t>(product >> 64);
    const auto correction = static_cast<std::uint64_t>((static_cast<unsigned __int128>(quotient) * modulus_) >> 64);
    return high >= correction ? high - correction : high - correction + modulus_;
  }

  std::uint64_t power(std::uint64_t base, std::uint64_t exponent) const {
    std::uint64_t result = one_;
    for (; exponent != 0; exponent >>= 1) {
      if (exponent & 1) result = times(result, base);
      base = times(base, base);
    }
    return result;
  }

 private:
  std::uint64_t modulus_;
  std::uint64_t inverse_;  // inverse of the modulus, mod 2^64
  std::uint64_t one_;
  std::uint64_t square_;  // 2^128 mod modulus
};

/// Returns whether n passes a Miller-Rabin test to `base`, where n - 1 = odd * 2^twos.
bool passes(const montgomery& field, std::uint64_t base, std::uint64_t odd, int twos) {
  std::uint64_t x = field.power(base, odd);
  if (x == field.one() || x == field.minus_one()) return true;
  for (int i = 1; i < twos; ++i) {
    x = field.times(x, x);
    if (x == field.minus_one()) return true;
  }
  return false;
}

bool passes(const mpz_class& n, unsigned long base) {
  const mpz_class before = n - 1;
  const mp_bitcnt_t twos = mpz_scan1(before.get_mpz_t(), 0);
  const mpz_class odd = before >> twos;
  mpz_class x = base;
  mpz_powm(x.get_mpz_t(), x.get_mpz_t(), odd.get_mpz_t(), n.get_mpz_t());
  if (x == 1 || x == before) return true;
  for (mp_bitcnt_t i = 1; i < twos; ++i) {
    x = x * x % n;
    if (x == before) return true;
  }
  return false;
}

constexpr std::array<unsigned, 13> small_primes{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41};

/// Frees FLINT's thread-local cache when the thread ends.
struct flint_cache {
  flint_cache() {}  // not trivial, so that using the object creates it
  ~flint_cache() { flint_cleanup(); }
};

class flint_integer {
 public:
  explicit flint_integer(const mpz_class& n) {
    fmpz_init(value_);
    fmpz_set_mpz(value_, n.get_mpz_t());
  }
  flint_integer(const flint_integer&) = delete;
  flint_integer& operator=(const flint_integer&) = delete;
  ~flint_integer() { fmpz_clear(value_); }

  const fmpz* get() const { return value_; }

 private:
  fmpz_t value_;
};

/// Proves primality by Pocklington's and Morrison's tests if these suffice, else by APRCL. FLINT proves its answer or gives none.
primality prove(const mpz_class& n) {
  thread_local const flint_cache cache;
  static_cast<void>(cache);
  switch (fmpz_is_prime(flint_integer(n).get())) {
    case 1: return primality::prime;
    case 0: return primality::composite;
    default: return primality::probably_prime;
  }
}

}  // namespace

bool is_prime(std::uint64_t n) {
  if (n < 2) return false;
  for (const unsigned p : small_primes) {
    if (n % p == 0) return n == p;
  }
  if (n < 43 * 43) return true;

  const montgomery field(n);
  const int twos = std::countr_zero(n - 1);
  const std::uint64_t odd = (n - 1) >> twos;
  for (const std::uint64_t base : {2U, 325U, 9375U, 28178U, 450775U, 9780504U, 1795265022U}) {
    const std::uint64_t reduced = base % n;
    if (reduced != 0 && !passes(field, field.enter(reduced), odd, twos)) return false;
  }
  return true;
}

primality judge(std::uint64_t n) {
  if (n < 2) return primality::neither;
  return is_prime(n) ? primality::prime : primality::composite;
}

primality judge(const mpz_class& n, const primality_test& test) {
  if (n < 2) return primality::neither;
  if (n.fits_ulong_p()) return judge(std::uint64_t{n.get_ui()});

  static const mpz_class thirteen_bases_decide("3317044064679887385961981");
  if (n < thirteen_bases_decide) {
    for (const unsigned p : small_primes) {
      if (mpz_divisible_ui_p(n.get_mpz_t(), p) || !passes(n, p)) return primality::composite;
    }
    return primality::prime;
  }
  constexpr int bpsw = 24;  // GMP 6.2 counts the BPSW test as 24 rounds
  static const mpz_class too_long = [] {
    mpz_class power;
    mpz_ui_pow_ui(power.get_mpz_t(), 10, proven_digits);
    return power;
  }();
  if (!test.fast && n < too_long) {
    if (mpz_probab_prime_p(n.get_mpz_t(), bpsw) == 0) return primality::composite;
    if (const primality answer = prove(n); answer != primality::probably_prime) return answer;
  }
  return mpz_probab_prime_p(n.get_mpz_t(), bpsw + test.rounds) != 0 ? primality::probably_prime : primality::composite;
}

bool confirms(const mpz_class& n, primality answer) {
  if (n < 2 || answer == primality::neither) return n < 2 && answer == primality::neither;
  constexpr unsigned long bases = 64;  // an odd composite number passes few of these bases
  const auto divides = [&](unsigned p) { return mpz_divisible_ui_p(n.get_mpz_t(), p) != 0; };
  if (const auto divisor = std::ranges::find_if(small_primes, divides); divisor != small_primes.end()) {
    return (n == *divisor) == (answer == primality::prime);
  }
  if (answer == primality::composite) {
    for (unsigned long base = 2; base < bases; ++base) {
      if (n != base && !passes(n, base)) return true;
    }
    return false;
  }
  static const mpz_class twelve_bases_decide("318665857834031151167461");
  const bool passes_twelve = std::all_of(small_primes.begin(), small_primes.end() - 1, [&](unsigned p) { return passes(n, p); });
  return passes_twelve &&
         (n < twelve_bases_decide || answer == primality::probably_prime || mpz_probab_prime_p(n.get_mpz_t(), 30) != 0);
}

}  // namespace jobs
