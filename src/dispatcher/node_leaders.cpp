#include "dispatcher/node_leaders.hpp"

#include <utility>

namespace rankpool::detail {

namespace {

std::set<int> without_rank_0s(const std::vector<int>& nodes) {
  std::set<int> others(nodes.begin(), nodes.end());
  others.erase(0);
  return others;
}

}  // namespace

node_leaders::node_leaders(std::vector<int> nodes)
    : nodes_(std::move(nodes)), other_nodes_(without_rank_0s(nodes_)), is_lost_(nodes_.size()) {}

// The first worker of a node that is not lost.
std::optional<std::size_t> node_leaders::leader_of(int node) const {
  for (std::size_t w = 0; w < nodes_.size(); ++w) {
    if (nodes_[w] == node && !is_lost_[w]) return w;
  }
  return std::nullopt;
}

std::vector<std::size_t> node_leaders::add(const std::shared_ptr<const shared_data>& data) {
  std::vector<std::size_t> leaders;
  for (const int node : other_nodes_) {
    if (const auto leader = leader_of(node)) leaders.push_back(*leader);
  }
  if (!leaders.empty()) values_[data->id()] = data;
  return leaders;
}

std::vector<std::size_t> node_leaders::others_of_node(std::uint64_t id, std::size_t leader) const {
  std::vector<std::size_t> others;
  if (!values_.contains(id)) return others;
  for (std::size_t w = 0; w < nodes_.size(); ++w) {
    if (w != leader && nodes_[w] == nodes_[leader] && !is_lost_[w]) others.push_back(w);
  }
  return others;
}

std::vector<node_leaders::transfer> node_leaders::on_lost(std::size_t worker) {
  std::vector<transfer> again;
  if (is_lost_.empty()) return again;
  const int node = nodes_[worker];
  const bool was_leader = node != 0 && leader_of(node) == worker;
  is_lost_[worker] = true;
  const auto next = leader_of(node);
  if (!was_leader || !next) return again;
  for (const auto& [id, value] : values_) {
    if (auto data = value.lock()) again.push_back({std::move(data), *next});
  }
  return again;
}

}  // namespace rankpool::detail
