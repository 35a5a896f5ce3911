// Types that can be sent although this library does not include their headers: mpz_class, std::complex, std::filesystem::path.
//
// <gmpxx.h>, <filesystem>, and <complex> with <cmath> would be an eighth of what every source file with <rankpool/rankpool.hpp>
// reads. A program that uses such a type includes its header; the templates here look at its members only then.
#pragma once

#include <gmp.h>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

// As <gmpxx.h> declares them. They are part of every symbol name with an mpz_class in it, so they cannot change.
template <class T, class U>
class __gmp_expr;
typedef __gmp_expr<mpz_t, mpz_t> mpz_class;

namespace rankpool::detail {

/// mpz_class, as a template parameter: a template looks at the members of the type only once it is complete.
template <class T>
concept gmp_integer = std::same_as<T, mpz_class>;

template <class T>
consteval bool is_named_std_complex() {
  constexpr std::string_view name = __PRETTY_FUNCTION__;
  return name.find("T = std::complex<") != std::string_view::npos;
}

/// A std::complex, recognized by its name because it is not declared here.
template <class T>
inline constexpr bool is_complex_number = false;
template <template <class> class Complex, class Part>
  requires std::floating_point<Part>
inline constexpr bool is_complex_number<Complex<Part>> = is_named_std_complex<Complex<Part>>();

/// A std::filesystem::path, recognized by its members.
template <class T>
concept file_path = std::is_class_v<T> && requires(const T& path) {
  typename T::string_type;
  { path.native() } -> std::same_as<const std::string&>;
  path.lexically_normal();
};

}  // namespace rankpool::detail
