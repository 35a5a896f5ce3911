// Splitters: the boundaries between the buckets of a sample sort. Each is a number from the file with its index there.
//
// Numbers are compared by value, then by index, so all are different: equal numbers are distributed to buckets by position, and a
// file of equal numbers is divided evenly. For a block of consecutive numbers on one side of a splitter's index, the splitter
// reduces to a threshold on keys.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace jobs {

struct splitter {
  std::uint64_t key = 0;
  std::uint64_t index = 0;

  friend auto operator<=>(const splitter&, const splitter&) = default;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& key& index;
  }
};

/// Returns the first number of each bucket but the first, so that buckets hold about equally many samples. Sorts `samples`.
std::vector<splitter> choose_splitters(std::vector<splitter>& samples, std::size_t buckets);

/// Returns the smallest key that does not sort before splitter `s`, where equal keys sort by index. `before_index`: the numbers are
/// all before the index of `s`; otherwise, none of them is. Empty if there is no such key.
template <class Key>
std::optional<Key> threshold(const splitter& s, bool before_index) {
  const auto key = static_cast<Key>(s.key);
  if (!before_index) return key;
  if (key == std::numeric_limits<Key>::max()) return std::nullopt;
  return static_cast<Key>(key + 1);
}

/// Splits a block at the indices of the splitters and calls `visit(keys, index of the first key)` for each section.
template <class Key, class Visit>
void for_each_side(std::span<Key> keys, std::uint64_t first, std::span<const splitter> splitters, Visit visit) {
  while (!keys.empty()) {
    std::uint64_t end = first + keys.size();
    for (const splitter& s : splitters) {
      if (s.index > first) end = std::min(end, s.index);
    }
    const std::span piece = keys.first(end - first);
    visit(piece, first);
    keys = keys.subspan(piece.size());
    first = end;
  }
}

}  // namespace jobs
