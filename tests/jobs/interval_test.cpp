// Tests the segments of an interval: they cover each number exactly once, up to the limits of the type.
#include "support/interval.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include "support/catch.hpp"

namespace {

template <class Integer>
auto segments(jobs::interval<Integer> interval, std::uint64_t length) {
  std::vector<std::pair<Integer, Integer>> result;
  for (const auto& [first, last] : interval.segments(length)) result.emplace_back(first, last);
  return result;
}

using unsigned_pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
using signed_pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

constexpr auto top = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("segments cover an interval, whatever their length") {
  CHECK(segments<std::uint64_t>({1, 6}, 3) == unsigned_pairs{{1, 3}, {4, 6}});
  CHECK(segments<std::uint64_t>({1, 7}, 3) == unsigned_pairs{{1, 3}, {4, 6}, {7, 7}});
  CHECK(segments<std::uint64_t>({1, 7}, 100) == unsigned_pairs{{1, 7}});
  CHECK(segments<std::uint64_t>({5, 5}, 1) == unsigned_pairs{{5, 5}});
}

TEST_CASE("segments cover negative numbers and the whole range of the type") {
  CHECK(segments<std::int64_t>({-3, 2}, 4) == signed_pairs{{-3, 0}, {1, 2}});
  CHECK(segments<std::uint64_t>({top - 4, top}, 3) == unsigned_pairs{{top - 4, top - 2}, {top - 1, top}});
  CHECK(segments<std::uint64_t>({0, top}, std::uint64_t{1} << 63) ==
        unsigned_pairs{{0, (std::uint64_t{1} << 63) - 1}, {std::uint64_t{1} << 63, top}});
  const auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  CHECK(segments<std::int64_t>({least, most}, top) == signed_pairs{{least, most - 1}, {most, most}});
}

TEST_CASE("reversed ends are refused") {
  CHECK_THROWS_AS((jobs::interval<int>{2, 1}.check()), jobs::usage_error);
  CHECK_THROWS_WITH((jobs::interval<int>{.from = 2, .to = 1, .default_to = 9}.check("from", "to")), "to (1) is less than from (2)");
  CHECK_NOTHROW((jobs::interval<int>{2, 2}.check()));
}
