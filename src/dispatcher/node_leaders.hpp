// Chooses the worker that receives shared values for each node other than rank 0's, and a replacement when it is lost.
//
// Rank 0 sends a large shared value to this worker, the leader of its node. The leader reports where it is in memory, and rank 0
// tells the other workers of the node, which map it. When a leader is lost, the next worker of its node becomes the leader. Rank 0
// sends it the values again, for workers that have not mapped them yet.
#pragma once

#include <rankpool/detail/shared/shared_data.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace rankpool::detail {

/// Thread safety: one thread at a time.
class node_leaders {
 public:
  /// `nodes`: of each worker; 0: rank 0's.
  explicit node_leaders(std::vector<int> nodes);

  /// A value has to be sent. Returns the leaders: one worker of each node other than rank 0's.
  std::vector<std::size_t> add(const std::shared_ptr<const shared_data>& data);
  /// Forgets a value.
  void remove(std::uint64_t id) { values_.erase(id); }
  /// Returns the workers that must be told that a leader has a value, or that it has no memory for it: the others of its node. None
  /// if the value was removed.
  std::vector<std::size_t> others_of_node(std::uint64_t id, std::size_t leader) const;

  /// A value that has to be sent to another leader.
  struct transfer {
    std::shared_ptr<const shared_data> data;
    std::size_t leader = 0;
  };
  /// A worker was lost. Returns what has to be sent again because the worker was the leader of its node.
  std::vector<transfer> on_lost(std::size_t worker);

 private:
  std::optional<std::size_t> leader_of(int node) const;

  const std::vector<int> nodes_;     // of each worker
  const std::set<int> other_nodes_;  // than rank 0's
  std::vector<bool> is_lost_;        // of each worker
  std::map<std::uint64_t, std::weak_ptr<const shared_data>> values_;
};

}  // namespace rankpool::detail
