// Values whose serialisation or deserialisation throws, on either side: only their own task fails.
#include "support/tasks.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace support;

namespace {

enum class refusal { none, save, load };

/// Throws in the call that its members select. `journeys` counts how often it was loaded.
struct picky {
  refusal on_first_journey = refusal::none;
  refusal on_second_journey = refusal::none;
  int journeys = 0;

  refusal now() const { return journeys == 0 ? on_first_journey : on_second_journey; }

  template <class Archive>
  void save(Archive& archive, unsigned) const {
    if (now() == refusal::save) throw std::runtime_error("too shy to leave");
    archive << on_first_journey << on_second_journey << journeys;
  }
  template <class Archive>
  void load(Archive& archive, unsigned) {
    archive >> on_first_journey >> on_second_journey >> journeys;
    if (now() == refusal::load) throw std::runtime_error("does not want to arrive");
    ++journeys;
  }
  BOOST_SERIALIZATION_SPLIT_MEMBER()
};

picky pass_on(picky value) { return value; }

int journeys(const picky& value) { return value.journeys; }

/// A function object whose serialisation throws.
struct picky_function {
  picky state;
  int operator()(int n) const { return n; }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & state;
  }
};

void check_only_this_fails(const picky& value, const std::string& message) {
  rankpool::executor pool(cluster());
  auto before = pool.submit(square, 3);
  auto failing = pool.submit(pass_on, value);
  auto after = pool.submit(square, 4);
  CHECK_THROWS_AS(failing.result(), rankpool::serialization_error);
  CHECK_THROWS_WITH(failing.result(), containing(message));
  CHECK(before.result() == 9);
  CHECK(after.result() == 16);
  check_computes(pool);
}

/// Its default constructor, which deserialisation calls, throws in tasks or outside of tasks.
template <bool InTasks>
struct fragile {
  int value = 0;

  explicit fragile(int n) : value(n) {}
  fragile() {
    if ((rankpool::this_worker::rank() != -1) == InTasks) throw std::runtime_error("cannot be made here");
  }
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & value;
  }
};

int value_of(const fragile<true>& argument) { return argument.value; }

fragile<false> made_in_task(int n) { return fragile<false>(n); }

}  // namespace

TEST_CASE("a value whose serialisation may throw travels if it does not") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit(pass_on, picky{}).result().journeys == 2);
}

TEST_CASE("an argument that fails to be saved fails its own future only", "[travel/argument-leaves][fault]") {
  check_only_this_fails({.on_first_journey = refusal::save}, "too shy to leave");
}

TEST_CASE("an argument that fails to be loaded fails its own future only", "[travel/argument-arrives][fault]") {
  check_only_this_fails({.on_first_journey = refusal::load}, "does not want to arrive");
}

TEST_CASE("a result that fails to be saved fails its own future only", "[travel/result-leaves][fault]") {
  check_only_this_fails({.on_second_journey = refusal::save}, "too shy to leave");
}

TEST_CASE("a result that fails to be loaded fails its own future only", "[travel/result-arrives][fault]") {
  check_only_this_fails({.on_second_journey = refusal::load}, "does not want to arrive");
}

TEST_CASE("an argument or a result whose constructor throws fails its own future only",
          "[travel/argument-arrives][travel/result-arrives][fault]") {
  rankpool::executor pool(cluster());
  auto argument = pool.submit(value_of, fragile<true>(3));
  auto result = pool.submit(made_in_task, 3);
  auto other = pool.submit(square, 3);
  CHECK_THROWS_AS(argument.result(), rankpool::serialization_error);
  CHECK_THROWS_WITH(argument.result(), containing("cannot be made here"));
  CHECK_THROWS_AS(result.result(), rankpool::serialization_error);
  CHECK_THROWS_WITH(result.result(), containing("cannot be made here"));
  CHECK(other.result() == 9);
  check_computes(pool);
}

TEST_CASE("a result that failed to be loaded fails the same way each time it is read", "[travel/result-arrives][fault]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(pass_on, picky{.on_second_journey = refusal::load});
  for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(task.result(), rankpool::serialization_error);
  CHECK(task.exception() != nullptr);
  CHECK(task.done());
  check_computes(pool);
}

TEST_CASE("a callable that cannot be sent fails its own future only", "[travel/argument-leaves][travel/argument-arrives][fault]") {
  rankpool::executor pool(cluster());
  for (const auto when : {refusal::save, refusal::load}) {
    auto failing = pool.submit(picky_function{{.on_first_journey = when}}, 1);
    auto other = pool.submit(square, 5);
    CHECK_THROWS_AS(failing.result(), rankpool::serialization_error);
    CHECK(other.result() == 25);
  }
  check_computes(pool);
}

TEST_CASE("items of a map that fail to be saved or loaded fail alone, inside a chunk too",
          "[travel/argument-leaves][travel/argument-arrives][travel/result-leaves][travel/result-arrives][fault]") {
  rankpool::executor pool(cluster());
  for (const auto when : {refusal::save, refusal::load}) {
    std::vector<picky> items(7);
    items[3].on_first_journey = when;
    auto results = pool.map({.chunksize = 1}, journeys, items);
    int right = 0;
    int failed = 0;
    for (auto item = results.begin(); item != results.end(); ++item) {
      try {
        right += *item == 1;
      } catch (const rankpool::serialization_error&) {
        ++failed;
      }
    }
    CHECK(right == 6);
    CHECK(failed == 1);
  }
  std::vector<picky> items(7);
  items[3].on_second_journey = refusal::save;
  items[5].on_second_journey = refusal::load;
  auto results = pool.map({.chunksize = 7}, pass_on, items);
  int right = 0;
  int failed = 0;
  for (auto item = results.begin(); item != results.end(); ++item) {
    try {
      right += (*item).journeys == 2;
    } catch (const rankpool::serialization_error&) {
      ++failed;
    }
  }
  CHECK(right == 5);
  CHECK(failed == 2);
  check_computes(pool);
}

TEST_CASE("a task that fails while it is encoded does not damage the next", "[fault]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  std::vector<rankpool::future<picky>> tasks;
  for (int i = 0; i < 60; ++i) {
    picky value;
    if (i % 4 == 1) value.on_first_journey = refusal::save;
    if (i % 4 == 2) value.on_first_journey = refusal::load;
    if (i % 4 == 3) value.on_second_journey = refusal::save;
    tasks.push_back(pool.submit(pass_on, value));
  }
  for (int i = 0; i < 60; ++i) {
    auto& task = tasks[static_cast<std::size_t>(i)];
    if (i % 4 == 0) {
      CHECK(task.result().journeys == 2);
    } else {
      CHECK_THROWS_AS(task.result(), rankpool::serialization_error);
    }
  }
  check_computes(pool);
}
