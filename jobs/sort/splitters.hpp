// Where the buckets of a sample sort begin and end: numbers drawn from the file, each with its index there.
//
// The index makes every number of the file different from every other: equal numbers fall into different buckets by where
// they stand, and a file of nothing but equal ones is divided as evenly as any other. While a block of consecutive numbers
// lies on one side of a splitter's index, that splitter is a mere threshold on keys.
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

/// The begins of the buckets but the first, so that each holds about as many samples. `samples` is sorted on return.
std::vector<splitter> choose_splitters(std::vector<splitter>& samples, std::size_t buckets);

/// The least key that is not before `s` among numbers that all stand before its index, or all from there on; none if there
/// is no such key.
template <class Key>
std::optional<Key> threshold(const splitter& s, bool before_index) {
  const auto key = static_cast<Key>(s.key);
  if (!before_index) return key;
  if (key == std::numeric_limits<Key>::max()) return std::nullopt;
  return static_cast<Key>(key + 1);
}

/// Calls `visit(keys, index of the first)` for pieces of a block within which no splitter's index lies.
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
