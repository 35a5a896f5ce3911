// Which worker of each node but rank 0's keeps the shared values that the others of its node map, where a worker may be lost.
//
// Rank 0 sends a large shared value to the keeper of each node, which tells where it is, and rank 0 tells the others of the node.
// When a keeper is lost, the next worker of its node becomes the keeper of its values: they are sent again, for workers that have
// not mapped them yet. Those that have keep them.
#pragma once

#include "wire/frame.hpp"

#include <rankpool/detail/shared/shared_data.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace rankpool::detail {

/// Thread safety: one thread at a time.
class node_keepers {
 public:
  /// `nodes`: of each worker; 0: rank 0's.
  explicit node_keepers(std::vector<int> nodes);

  /// A value has to be sent. Returns the keepers: one worker of each node that has one.
  std::vector<std::size_t> add(const std::shared_ptr<const shared_data>& data);
  /// Forgets a value.
  void remove(std::uint64_t id) { values_.erase(id); }
  /// Returns the workers that must be told that a keeper has a value, or that it has no memory for it: the others of its node.
  std::vector<std::size_t> others_without(std::uint64_t id, std::size_t keeper) const;

  /// A value that has to be sent to another keeper.
  struct transfer {
    std::shared_ptr<const shared_data> data;
    std::size_t keeper = 0;
  };
  /// A worker was lost. Returns what has to be sent again because the worker was the keeper of its node.
  std::vector<transfer> on_lost(std::size_t worker);

 private:
  std::optional<std::size_t> keeper_of(int node) const;

  const std::vector<int> nodes_;
  std::vector<bool> is_lost_;  // of each worker
  std::map<std::uint64_t, std::weak_ptr<const shared_data>> values_;
};

}  // namespace rankpool::detail
