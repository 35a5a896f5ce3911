// Finds the bucket of a key: a branchless search tree over thresholds. It searches for eight keys at a time, so that their memory
// accesses overlap (as in super scalar sample sort, Sanders and Winkel, 2004).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sort/splitters.hpp"

namespace jobs {

template <class Key>
class bucket_tree {
 public:
  /// Builds a tree for the numbers from index `first` up to the next index of a splitter.
  bucket_tree(std::span<const splitter> splitters, std::uint64_t first) {
    std::vector<Key> thresholds;
    for (const splitter& s : splitters) {
      if (const auto least = threshold<Key>(s, first < s.index)) thresholds.push_back(*least);
    }
    last_bucket_ = static_cast<std::uint32_t>(thresholds.size());
    levels_ = std::bit_width(thresholds.size());
    thresholds.resize((std::size_t{1} << levels_) - 1, std::numeric_limits<Key>::max());
    tree_.resize(std::size_t{1} << levels_);
    std::size_t next = 0;
    fill(thresholds, next, 1);
  }

  /// Writes the bucket of each key: the number of thresholds that are not greater than the key.
  void find(std::span<const Key> keys, std::uint32_t* buckets) const {
    constexpr std::size_t together = 8;
    std::size_t i = 0;
    for (; i + together <= keys.size(); i += together) descend<together>(&keys[i], buckets + i);
    for (; i < keys.size(); ++i) descend<1>(&keys[i], buckets + i);
  }

 private:
  void fill(const std::vector<Key>& thresholds, std::size_t& next, std::size_t node) {
    if (node >= tree_.size()) return;
    fill(thresholds, next, 2 * node);
    tree_[node] = thresholds[next++];
    fill(thresholds, next, 2 * node + 1);
  }

  template <std::size_t Together>
  void descend(const Key* keys, std::uint32_t* buckets) const {
    std::array<std::uint32_t, Together> node;
    node.fill(1);
    for (int level = 0; level < levels_; ++level) {
      for (std::size_t k = 0; k < Together; ++k) node[k] = 2 * node[k] + static_cast<std::uint32_t>(keys[k] >= tree_[node[k]]);
    }
    // The largest key is not below the padding thresholds that complete the tree; std::min limits its bucket to the last one.
    for (std::size_t k = 0; k < Together; ++k) buckets[k] = std::min(node[k] - (1U << levels_), last_bucket_);
  }

  int levels_;
  std::uint32_t last_bucket_;
  std::vector<Key> tree_;  // node i has the children 2i and 2i + 1; the root is node 1
};

}  // namespace jobs
