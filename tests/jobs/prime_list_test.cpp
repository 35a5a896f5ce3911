// Tests the compact encoding in which workers return primes.
#include "primes/prime_list.hpp"

#include <cstdint>
#include <vector>

#include "support/catch.hpp"

namespace {

using primes = std::vector<std::uint64_t>;

jobs::prime_list packed(const primes& all) {
  jobs::prime_list_builder list;
  for (const std::uint64_t prime : all) list.add(prime);
  return list.take();
}

primes unpacked(const jobs::prime_list& list) {
  primes all;
  jobs::for_each_listed(list, [&](std::uint64_t prime) { all.push_back(prime); });
  return all;
}

}  // namespace

TEST_CASE("a list of primes returns all its primes, including 2 and after distances of any size") {
  for (const primes& all : {primes{}, primes{2}, primes{2, 3}, primes{2, 3, 5, 7, 11}, primes{18446744073709551557U},
                            primes{113, 127}, primes{1425172824437699411U, 1425172824437700887U},  // a gap of 1476
                            primes{3, 3 + 510, 3 + 510 + 508, 3 + 510 + 508 + 1020}}) {
    CHECK(unpacked(packed(all)) == all);
  }
}

TEST_CASE("a prime occupies a byte, unless its distance is large") {
  CHECK(packed({1'000'003, 1'000'033, 1'000'037}).second.size() == 2);
  CHECK(packed({3, 3 + 2 * 254}).second.size() == 1);
  CHECK(packed({3, 3 + 2 * 255}).second.size() == 2);
}
