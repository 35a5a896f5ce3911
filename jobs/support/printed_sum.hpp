// What printed lines add up to, read back from their text on the worker that has printed them.
#pragma once

#include <gmpxx.h>

#include <string>
#include <string_view>
#include <utility>

namespace jobs {

/// The sum of the numbers at the ends of lines.
inline mpz_class sum_of_last_numbers(std::string_view lines) {
  mpz_class sum = 0;
  mpz_class value;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    value.set_str(std::string(line.substr(line.rfind(' ') + 1)), 10);
    sum += value;
    lines.remove_prefix(line.size() + 1);
  }
  return sum;
}

/// A task that prints lines, and what their last numbers add up to.
template <auto print_lines, class Integer>
std::pair<std::string, mpz_class> with_sum(Integer first, Integer last) {
  std::string lines = print_lines(first, last);
  mpz_class sum = sum_of_last_numbers(lines);
  return {std::move(lines), std::move(sum)};
}

}  // namespace jobs
