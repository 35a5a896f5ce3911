// Stores the primes of a segment in about one byte each. Workers return primes in this encoding: as text, primes near 10^18 would
// take 20 bytes each, and rank 0 holds the results of many segments.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace jobs {

/// The first prime, then half the gap to each next prime. A half gap of 255 or more is written as several bytes: 255 as often as
/// possible, then the rest. The gap from 2 to 3 counts as 2. A segment without primes is {0, {}}.
using prime_list = std::pair<std::uint64_t, std::vector<std::uint8_t>>;

/// Encodes primes, which are added in ascending order.
class prime_list_builder {
 public:
  void add(std::uint64_t prime) {
    if (last_ == 0) {
      list_.first = prime;
    } else {
      std::uint64_t half = (prime - last_ + 1) / 2;
      for (; half >= 255; half -= 255) list_.second.push_back(255);
      list_.second.push_back(static_cast<std::uint8_t>(half));
    }
    last_ = prime;
  }
  prime_list take() { return std::move(list_); }

 private:
  prime_list list_;
  std::uint64_t last_ = 0;
};

/// Calls `visit(prime)` for each prime of the list, in order.
template <class Visit>
void for_each_listed(const prime_list& list, Visit visit) {
  std::uint64_t prime = list.first;
  if (prime == 0) return;
  visit(prime);
  for (const std::uint8_t half : list.second) {
    prime += 2 * std::uint64_t{half} - (prime == 2 ? 1 : 0);
    if (half != 255) visit(prime);
  }
}

}  // namespace jobs
