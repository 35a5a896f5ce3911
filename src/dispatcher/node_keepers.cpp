#include "dispatcher/node_keepers.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace rankpool::detail {

node_keepers::node_keepers(std::vector<int> nodes) : nodes_(std::move(nodes)), is_lost_(nodes_.size()) {}

// The first worker of a node that is not lost.
std::optional<std::size_t> node_keepers::keeper_of(int node) const {
  for (std::size_t w = 0; w < nodes_.size(); ++w) {
    if (nodes_[w] == node && !is_lost_[w]) return w;
  }
  return std::nullopt;
}

std::vector<std::size_t> node_keepers::add(const std::shared_ptr<const shared_data>& data) {
  values_[data->id()] = data;
  std::vector<std::size_t> keepers;
  for (const int node : std::set<int>(nodes_.begin(), nodes_.end())) {
    if (node == 0) continue;
    if (const auto keeper = keeper_of(node)) keepers.push_back(*keeper);
  }
  return keepers;
}

std::vector<std::size_t> node_keepers::others_without(std::uint64_t id, std::size_t keeper) const {
  std::vector<std::size_t> others;
  if (!values_.contains(id)) return others;
  for (std::size_t w = 0; w < nodes_.size(); ++w) {
    if (w != keeper && nodes_[w] == nodes_[keeper] && !is_lost_[w]) others.push_back(w);
  }
  return others;
}

std::vector<node_keepers::transfer> node_keepers::on_lost(std::size_t worker) {
  std::vector<transfer> again;
  if (is_lost_.empty()) return again;
  const int node = nodes_[worker];
  const bool was_keeper = node != 0 && keeper_of(node) == worker;
  is_lost_[worker] = true;
  const auto next = keeper_of(node);
  if (!was_keeper || !next) return again;
  for (const auto& [id, value] : values_) {
    if (auto data = value.lock()) again.push_back({std::move(data), *next});
  }
  return again;
}

}  // namespace rankpool::detail
