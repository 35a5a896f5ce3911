#include "primes/prime_list.hpp"

#include "support/text.hpp"

namespace jobs {

void print_primes(output& out, const prime_list& list) {
  for_each_listed(list, [&](std::uint64_t prime) { out.print(prime, '\n'); });
}

}  // namespace jobs
