// Whole numbers as people write them: 1000000, 10_000, 1e12, 1.5e6, 2^40, 1e18+1e11. Exact: never through a double.
#pragma once

#include <gmpxx.h>

#include <CLI/CLI.hpp>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace jobs {

/// The value of `text`, a sum or difference of terms as above, with an optional sign in front.
/// Throws: std::invalid_argument with one sentence for anything else, for a fraction (1.5), and for more than 10^8 digits.
mpz_class parse_integer(std::string_view text);

/// `value` as an Integer. Throws: std::out_of_range with one sentence if it does not lie in [least, most].
std::int64_t narrow_signed(const mpz_class& value, std::int64_t least, std::int64_t most);
std::uint64_t narrow_unsigned(const mpz_class& value, std::uint64_t least, std::uint64_t most);

template <std::integral Integer>
Integer parse_number(std::string_view text, Integer least = std::numeric_limits<Integer>::min(),
                     Integer most = std::numeric_limits<Integer>::max()) {
  if constexpr (std::signed_integral<Integer>) {
    return static_cast<Integer>(narrow_signed(parse_integer(text), least, most));
  } else {
    return static_cast<Integer>(narrow_unsigned(parse_integer(text), least, most));
  }
}

/// Adds an option (`--from`, or `from` for a positional) that takes one whole number in [least, most].
template <std::integral Integer>
CLI::Option* add_number(CLI::App& job, const std::string& name, Integer& value, const std::string& help,
                        Integer least = std::numeric_limits<Integer>::min(), Integer most = std::numeric_limits<Integer>::max());

/// The same for a list of numbers, as positional arguments mostly.
template <std::integral Integer>
CLI::Option* add_numbers(CLI::App& job, const std::string& name, std::vector<Integer>& values, const std::string& help,
                         Integer least = std::numeric_limits<Integer>::min(), Integer most = std::numeric_limits<Integer>::max());

// ---------------------------------------------------------------------------------------------------------------

namespace detail {
/// Makes `parse` report in one line that names the option, what it takes and what it got. `standard` writes its default.
CLI::Option* add_parsed(CLI::App& job, const std::string& name, const std::string& help, const std::string& takes, bool many,
                        std::function<void(const std::vector<std::string>&)> parse, std::function<std::string()> standard);
std::string range_text(const mpz_class& least, const mpz_class& most);
mpz_class to_mpz(std::int64_t value);
mpz_class to_mpz(std::uint64_t value);

template <std::integral Integer>
std::string range_text(Integer least, Integer most) {
  using wide = std::conditional_t<std::signed_integral<Integer>, std::int64_t, std::uint64_t>;
  return range_text(to_mpz(static_cast<wide>(least)), to_mpz(static_cast<wide>(most)));
}
}  // namespace detail

template <std::integral Integer>
CLI::Option* add_number(CLI::App& job, const std::string& name, Integer& value, const std::string& help, Integer least,
                        Integer most) {
  return detail::add_parsed(
      job, name, help, "a whole number " + detail::range_text(least, most), false,
      [&value, least, most](const std::vector<std::string>& texts) { value = parse_number(texts.back(), least, most); },
      // A value that nobody can ask for stands for none.
      [&value, least, most] { return value < least || value > most ? std::string() : std::to_string(value); });
}

template <std::integral Integer>
CLI::Option* add_numbers(CLI::App& job, const std::string& name, std::vector<Integer>& values, const std::string& help,
                         Integer least, Integer most) {
  return detail::add_parsed(
      job, name, help, "whole numbers " + detail::range_text(least, most), true,
      [&values, least, most](const std::vector<std::string>& texts) {
        values.clear();
        for (const std::string& text : texts) values.push_back(parse_number(text, least, most));
      },
      [&values] { return CLI::detail::to_string(values); });
}

}  // namespace jobs
