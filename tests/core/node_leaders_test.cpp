// Which worker of a node keeps shared values, when workers are lost.
#include "dispatcher/node_leaders.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace {

using namespace rankpool::detail;
using workers = std::vector<std::size_t>;

std::shared_ptr<const shared_data> value(std::uint64_t id) {
  return std::make_shared<const shared_data>(id, nullptr, std::span<const std::byte>());
}

workers leaders_of(const std::vector<node_leaders::transfer>& transfers) {
  workers all;
  for (const auto& t : transfers) all.push_back(t.leader);
  return all;
}

}  // namespace

TEST_CASE("node leaders: the first worker of each other node keeps a value", "[node-leaders]") {
  node_leaders leaders({0, 0, 3, 3, 5, 0, 3});
  CHECK(leaders.add(value(1)) == workers{2, 4});
  CHECK(leaders.others_of_node(1, 2) == workers{3, 6});
  CHECK(leaders.others_of_node(1, 4).empty());
}

TEST_CASE("node leaders: when a leader is lost, the values in use go to the next worker of its node", "[node-leaders]") {
  node_leaders leaders({0, 3, 3, 3});
  const auto first = value(1);
  const auto second = value(2);
  (void)leaders.add(first);
  (void)leaders.add(second);
  (void)leaders.add(value(3));  // nobody uses it any more
  leaders.remove(2);
  const auto again = leaders.on_lost(1);
  REQUIRE(leaders_of(again) == workers{2});
  CHECK(again.front().data == first);
  CHECK(leaders.others_of_node(1, 2) == workers{3});
  CHECK(leaders.others_of_node(2, 2).empty());
  CHECK(leaders.add(second) == workers{2});
  CHECK(leaders_of(leaders.on_lost(2)) == workers{3, 3});
  CHECK(leaders.on_lost(3).empty());
  CHECK(leaders.add(value(4)).empty());
}

TEST_CASE("node leaders: nothing is sent again if the lost worker is not a leader", "[node-leaders]") {
  node_leaders leaders({0, 3, 3});
  const auto first = value(1);
  CHECK(leaders.add(first) == workers{1});
  CHECK(leaders.on_lost(2).empty());
  CHECK(leaders.on_lost(0).empty());
  CHECK(leaders.others_of_node(1, 1).empty());
  node_leaders one_node({});
  CHECK(one_node.on_lost(0).empty());
}
