#include "sort/verification.hpp"

#include <algorithm>
#include <ranges>
#include <span>
#include <tuple>

#include "support/mixed.hpp"

namespace jobs {
namespace {

struct part_examination {
  fingerprint numbers;
  bool in_order = true;
  std::uint64_t first = 0;  // first key of the part
  std::uint64_t last = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& numbers& in_order& first& last;
  }
};

part_examination examine_part(const number_file& numbers, std::uint64_t first, std::uint64_t end) {
  part_examination found;
  with_element(numbers.type, [&]<class Number>(Number) {
    using key = key_of<Number>;
    for_each_block<Number>(file(numbers.path), numbers, first, end, [&](std::span<const key> keys, std::uint64_t at) {
      if (at == first) {
        found.first = keys.front();
      } else {
        found.in_order &= found.last <= keys.front();
      }
      found.in_order &= std::ranges::is_sorted(keys);
      found.last = keys.back();
      for (const key k : keys) {
        found.numbers.sum += k;
        found.numbers.hashes += mixed(k);
      }
      found.numbers.count += keys.size();
    });
  });
  return found;
}

}  // namespace

file_examination examine(rankpool::executor& pool, const number_file& numbers, std::uint64_t part) {
  const auto parts =
      std::views::iota(std::uint64_t{0}, (numbers.count + part - 1) / part) |
      std::views::transform([&](std::uint64_t p) { return std::tuple(p * part, std::min((p + 1) * part, numbers.count)); });
  file_examination whole;
  std::uint64_t last = 0;
  for (const part_examination& p :
       pool.starmap({.chunksize = 1, .buffersize = 4 * pool.num_workers()}, rankpool::partial(examine_part, numbers), parts)) {
    whole.numbers.count += p.numbers.count;
    whole.numbers.sum += p.numbers.sum;
    whole.numbers.hashes += p.numbers.hashes;
    whole.in_order &= p.in_order && last <= p.first;
    last = p.last;
  }
  return whole;
}

}  // namespace jobs
