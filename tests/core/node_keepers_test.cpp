// Which worker of a node keeps shared values, when workers are lost.
#include "dispatcher/node_keepers.hpp"
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

workers keepers_of(const std::vector<node_keepers::transfer>& transfers) {
  workers all;
  for (const auto& t : transfers) all.push_back(t.keeper);
  return all;
}

}  // namespace

TEST_CASE("node keepers: the first worker of each other node keeps a value", "[node-keepers]") {
  node_keepers keepers({0, 0, 3, 3, 5, 0, 3});
  CHECK(keepers.add(value(1)) == workers{2, 4});
  CHECK(keepers.others_without(1, 2) == workers{3, 6});
  CHECK(keepers.others_without(1, 4).empty());
}

TEST_CASE("node keepers: when a keeper is lost, the values in use go to the next worker of its node", "[node-keepers]") {
  node_keepers keepers({0, 3, 3, 3});
  const auto first = value(1);
  const auto second = value(2);
  (void)keepers.add(first);
  (void)keepers.add(second);
  (void)keepers.add(value(3));  // nobody uses it any more
  keepers.remove(2);
  const auto again = keepers.on_lost(1);
  REQUIRE(keepers_of(again) == workers{2});
  CHECK(again.front().data == first);
  CHECK(keepers.others_without(1, 2) == workers{3});
  CHECK(keepers.others_without(2, 2).empty());
  CHECK(keepers.add(second) == workers{2});
  CHECK(keepers_of(keepers.on_lost(2)) == workers{3, 3});
  CHECK(keepers.on_lost(3).empty());
  CHECK(keepers.add(value(4)).empty());
}

TEST_CASE("node keepers: the loss of another worker sends nothing", "[node-keepers]") {
  node_keepers keepers({0, 3, 3});
  const auto first = value(1);
  CHECK(keepers.add(first) == workers{1});
  CHECK(keepers.on_lost(2).empty());
  CHECK(keepers.on_lost(0).empty());
  CHECK(keepers.others_without(1, 1).empty());
  node_keepers one_node({});
  CHECK(one_node.on_lost(0).empty());
}
