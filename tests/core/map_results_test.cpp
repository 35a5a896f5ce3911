// Unit tests of map_results with a simulated call and input.
#include "support/catch.hpp"

#include <rankpool/map_results.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace {

using namespace rankpool::detail;

/// A call whose executor is shut down at the n-th call of is_sealed().
class call_sealed_at final : public map_call {
 public:
  explicit call_sealed_at(int query) : query_(query) {}

  void add(item_batch items, bool) override { added_ += items.count; }
  void end_input() override {}
  void stop_input() override {}
  bool is_sealed() const override { return ++queries_ >= query_; }
  std::exception_ptr refusal() const override { return std::make_exception_ptr(rankpool::pool_closed("shut down")); }
  std::uint64_t added() const override { return added_; }
  std::optional<finished_chunk> take(std::optional<std::uint64_t> wanted, steady_time) override {
    if (!wanted || *wanted >= added_) throw std::logic_error("an item is awaited that was not added");
    return finished_chunk{*wanted, 1, {}};
  }
  void cancel(const std::exception_ptr&) override {}
  void drop() noexcept override { delete this; }

 private:
  ~call_sealed_at() = default;

  const int query_;
  mutable int queries_ = 0;
  std::uint64_t added_ = 0;
};

/// An infinite input that adds one item at a time.
class endless_feed final : public input_feed {
 public:
  std::unique_ptr<item_source> source() const override { return nullptr; }
  bool feed(map_call& call, std::uint64_t) override {
    if (call.is_sealed()) return true;
    item_batch batch;
    batch.count = 1;
    call.add(std::move(batch), true);
    return true;
  }
  bool discard_one() override { return true; }
};

}  // namespace

TEST_CASE("a loop over results ends with pool_closed, whenever the executor is shut down") {
  for (int query = 1; query < 12; ++query) {
    INFO("sealed at query " << query);
    rankpool::map_results<int> results(map_call_ptr(new call_sealed_at(query)), std::make_unique<endless_feed>(), 1, true,
                                       steady_time::max());
    int refused = 0;
    for (auto it = results.begin(); it != results.end(); ++it) {
      try {
        (void)*it;
      } catch (const rankpool::pool_closed&) {
        ++refused;
      } catch (const std::logic_error& e) {
        FAIL(e.what());
      } catch (...) {
        // The added items have no results in this test.
      }
    }
    CHECK(refused == 1);
  }
}
