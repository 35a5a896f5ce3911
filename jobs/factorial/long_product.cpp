#include "factorial/long_product.hpp"

#include <algorithm>
#include <cstddef>

namespace jobs {
namespace {

static_assert(GMP_NUMB_BITS == 64, "GMP limbs of 64 bits are cut into digits of 60");

constexpr std::uint64_t mask = binary_radix::value - 1;

// From this many limbs on, transforms are faster (GMP 6.2, an AVX-512 machine). Squares have a higher limit: GMP optimizes them.
constexpr std::size_t shortest_product = 2000;
constexpr std::size_t shortest_square = 3000;

}  // namespace

digit_vector to_binary_digits(const mpz_class& n) {
  const mp_limb_t* const limbs = mpz_limbs_read(n.get_mpz_t());
  const std::size_t size = mpz_size(n.get_mpz_t());
  if (size == 0) return {};
  digit_vector digits((mpz_sizeinbase(n.get_mpz_t(), 2) + 59) / 60);
  // 15 limbs make 16 digits. Within such a group, all shifts are compile-time constants.
  std::size_t whole = (size - 1) / 15;
  const mp_limb_t* in = limbs;
  std::uint64_t* out = digits.data();
  for (; whole != 0; --whole, in += 15, out += 16) {
    out[0] = in[0] & mask;
    for (unsigned k = 1; k < 15; ++k) out[k] = (in[k - 1] >> (64 - 4 * k) | in[k] << (4 * k)) & mask;
    out[15] = in[14] >> 4;
  }
  const std::uint64_t* const end = digits.data() + digits.size();
  const mp_limb_t* const limbs_end = limbs + size;
  for (unsigned bit = 0; out != end; ++out) {
    std::uint64_t digit = *in >> bit;
    if (bit > 4 && in + 1 != limbs_end) digit |= in[1] << (64 - bit);
    *out = digit & mask;
    bit += 60;
    if (bit >= 64) {
      bit -= 64;
      ++in;
    }
  }
  return digits;
}

mpz_class from_binary_digits(const digit_vector& digits) {
  mpz_class n;
  const std::size_t size = (digits.size() * 60 + 63) / 64;
  if (size == 0) return n;
  mp_limb_t* const limbs = mpz_limbs_write(n.get_mpz_t(), static_cast<mp_size_t>(size));
  unsigned __int128 pending = 0;
  unsigned bits = 0;
  std::size_t filled = 0;
  for (const std::uint64_t digit : digits) {
    pending |= static_cast<unsigned __int128>(digit) << bits;
    bits += 60;
    if (bits >= 64) {
      limbs[filled++] = static_cast<mp_limb_t>(pending);
      pending >>= 64;
      bits -= 64;
    }
  }
  if (filled < size) limbs[filled++] = static_cast<mp_limb_t>(pending);
  mpz_limbs_finish(n.get_mpz_t(), static_cast<mp_size_t>(filled));
  return n;
}

mpz_class long_product(const mpz_class& a, const mpz_class& b) {
  const std::size_t shorter = std::min(mpz_size(a.get_mpz_t()), mpz_size(b.get_mpz_t()));
  const std::size_t longer = std::max(mpz_size(a.get_mpz_t()), mpz_size(b.get_mpz_t()));
  // GMP divides a much longer factor into parts. A transform has the length of the product, and is still faster for long factors.
  if (shorter < (&a == &b ? shortest_square : shortest_product) || longer > 64 * shorter || !transforms_are_fast()) {
    return a * b;
  }
  const digit_vector left = to_binary_digits(a);
  if (&a == &b) return from_binary_digits(multiply_digits<binary_radix>(left, left));
  return from_binary_digits(multiply_digits<binary_radix>(left, to_binary_digits(b)));
}

}  // namespace jobs
