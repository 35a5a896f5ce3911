// What printed lines add up to, read back from their text.
#pragma once

#include <gmpxx.h>

#include <string>
#include <string_view>

namespace jobs {

/// A task: the sum of the numbers at the ends of lines.
inline mpz_class sum_of_last_numbers(const std::string& lines) {
  mpz_class sum = 0;
  mpz_class value;
  for (std::string_view rest = lines; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    value.set_str(std::string(line.substr(line.rfind(' ') + 1)), 10);
    sum += value;
    rest.remove_prefix(line.size() + 1);
  }
  return sum;
}

}  // namespace jobs
