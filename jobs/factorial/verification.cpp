#include "factorial/verification.hpp"

#include <utility>

namespace jobs {
namespace {

// Compile-time constants, so that the compiler replaces divisions by multiplications.
constexpr std::uint64_t moduli[] = {4294967291, 4294967279, 4294967231};

template <std::size_t... I>
residues each(auto residue_modulo, std::index_sequence<I...>) {
  return {residue_modulo(std::integral_constant<std::uint64_t, moduli[I]>{})...};
}

residues each(auto residue_modulo) { return each(residue_modulo, std::make_index_sequence<std::size(moduli)>{}); }

}  // namespace

residues residues_of(const mpz_class& n) {
  return each([&](auto m) -> std::uint64_t { return mpz_fdiv_ui(n.get_mpz_t(), m()); });
}

residues residues_of(const digit_vector& decimal) {
  return each([&](auto m) {
    std::uint64_t value = 0;
    for (std::size_t i = decimal.size(); i-- > 0;) {
      value = (value * (decimal_radix::value % m()) % m() + decimal[i] % m()) % m();
    }
    return value;
  });
}

residues residues_of_range(std::uint64_t first, std::uint64_t last) {
  return each([&](auto m) {
    std::uint64_t even = 1, odd = 1;  // two independent chains of products hide the latency of a multiplication
    std::uint64_t i = first;
    for (; i < last; i += 2) {
      even = even * i % m();
      odd = odd * (i + 1) % m();
    }
    if (i == last) even = even * i % m();
    return even * odd % m();
  });
}

residues residues_of_power(std::uint64_t base, std::uint64_t exponent) {
  residues power{1, 1, 1};
  for (residues square{base, base, base}; exponent != 0; exponent >>= 1, square = multiply_residues(square, square)) {
    if (exponent & 1) power = multiply_residues(power, square);
  }
  return power;
}

residues multiply_residues(const residues& a, const residues& b) {
  residues product;
  for (std::size_t i = 0; i < product.size(); ++i) product[i] = a[i] * b[i] % moduli[i];
  return product;
}

}  // namespace jobs
