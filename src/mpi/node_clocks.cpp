#include "mpi/node_clocks.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

namespace rankpool::detail {
namespace {

constexpr int tag = 0;
constexpr int round_trips = 20;

std::int64_t now() { return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::chrono::nanoseconds ask(const boost::mpi::communicator& world, int rank) {
  std::int64_t shortest = INT64_MAX;
  std::int64_t ahead = 0;
  for (int n = 0; n < round_trips; ++n) {
    std::int64_t there = 0;
    const std::int64_t begin = now();
    world.send(rank, tag, begin);
    world.recv(rank, tag, there);
    const std::int64_t taken = now() - begin;
    if (taken >= shortest) continue;
    shortest = taken;
    ahead = there - (begin + taken / 2);
  }
  return std::chrono::nanoseconds(ahead);
}

void answer(const boost::mpi::communicator& world, int root) {
  for (int n = 0; n < round_trips; ++n) {
    std::int64_t unused = 0;
    world.recv(root, tag, unused);
    world.send(root, tag, now());
  }
}

}  // namespace

std::vector<std::chrono::nanoseconds> clocks_ahead(const boost::mpi::communicator& world, int root, const std::vector<int>& nodes) {
  std::map<int, int> leaders;  // the first rank of each other node
  for (std::size_t r = 0; r < nodes.size(); ++r) {
    if (nodes[r] != 0) leaders.emplace(nodes[r], static_cast<int>(r));
  }
  if (world.rank() != root) {
    if (std::ranges::any_of(leaders, [&](const auto& each) { return each.second == world.rank(); })) answer(world, root);
    return {};
  }
  std::map<int, std::chrono::nanoseconds> ahead;
  for (const auto& [node, leader] : leaders) ahead[node] = ask(world, leader);
  std::vector<std::chrono::nanoseconds> of_ranks;
  for (const int node : nodes) of_ranks.push_back(node == 0 ? std::chrono::nanoseconds() : ahead[node]);
  return of_ranks;
}

}  // namespace rankpool::detail
