// Exception types of the program: a registered one keeps its contents, any other keeps its type name and message.
#include "support/tasks.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

using namespace support;

namespace plant {

/// A registered exception with members in addition to its message.
class overheated : public std::exception {
 public:
  overheated() = default;
  overheated(std::string part, double degrees) : part_(std::move(part)), degrees_(degrees) { message_ = part_ + " is too hot"; }
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& part() const { return part_; }
  double degrees() const { return degrees_; }

 private:
  friend class boost::serialization::access;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & part_ & degrees_ & message_;
  }
  std::string part_;
  double degrees_ = 0;
  std::string message_;
};

/// A registered exception that is not a std::exception.
struct alarm {
  int level = 0;
  std::vector<std::string> rooms;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive & level & rooms;
  }
};

/// Not registered.
class leak : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Neither registered nor a std::exception.
struct smell {
  int strength = 3;
};

int overheat(double degrees) { throw overheated("boiler", degrees); }

int sound_alarm(int level) { throw alarm{level, {"hall", "cellar"}}; }

int spring_a_leak(const std::string& where) { throw leak("water in " + where); }

int smell_bad() { throw smell{}; }

int throw_42() { throw 42; }

int throw_text() { throw "a literal"; }

int nest_own() {
  try {
    overheat(99);
  } catch (...) {
    std::throw_with_nested(std::runtime_error("shutting the plant down"));
  }
  return 0;
}

}  // namespace plant

namespace own {

struct label {};

template <class T>
struct labelled : std::runtime_error {
  explicit labelled(const std::string& what = "") : std::runtime_error(what) {}
  template <class Archive>
  void serialize(Archive&, unsigned) {}
};

struct nesting : std::runtime_error, std::nested_exception {
  explicit nesting(const std::string& what = "") : std::runtime_error(what) {}
  template <class Archive>
  void serialize(Archive&, unsigned) {}
};

struct speechless : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

}  // namespace own

RANKPOOL_REGISTER_EXCEPTION(own::labelled<own::label>)
RANKPOOL_REGISTER_EXCEPTION(own::nesting)
RANKPOOL_REGISTER_EXCEPTION(plant::overheated)
RANKPOOL_REGISTER_EXCEPTION(plant::alarm);

TEST_CASE("a registered exception type arrives with its contents", "[error/registered][fault]") {
  rankpool::executor pool(cluster());
  try {
    pool.submit(plant::overheat, 451.5).result();
    FAIL("nothing was thrown");
  } catch (const plant::overheated& error) {
    CHECK(std::string(error.what()) == "boiler is too hot");
    CHECK(error.part() == "boiler");
    CHECK(error.degrees() == 451.5);
    const auto* where = rankpool::remote_context(error);
    REQUIRE(where != nullptr);
    CHECK_THAT(where->type_name, containing("plant::overheated"));
  }
  check_computes(pool);
}

TEST_CASE("a registered type need not be a std::exception", "[error/registered][fault]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(plant::sound_alarm, 3);
  try {
    task.result();
    FAIL("nothing was thrown");
  } catch (const plant::alarm& alarm) {
    CHECK(alarm.level == 3);
    CHECK(alarm.rooms == std::vector<std::string>{"hall", "cellar"});
  }
  CHECK(rankpool::remote_context(task.exception()) != nullptr);
  check_computes(pool);
}

TEST_CASE("a registered type arrives with its contents from inside a chunk", "[error/registered][fault]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.chunksize = 3}, plant::overheat, std::vector{1.0, 2.0, 3.0, 4.0});
  double expected = 1;
  for (auto item = results.begin(); item != results.end(); ++item, ++expected) {
    try {
      static_cast<void>(*item);
      FAIL("nothing was thrown");
    } catch (const plant::overheated& error) {
      CHECK(error.degrees() == expected);
    }
  }
  CHECK(expected == 5);
  check_computes(pool);
}

TEST_CASE("a registered type nested in a standard one arrives with its contents", "[error/registered][error/nested][fault]") {
  rankpool::executor pool(cluster());
  try {
    pool.submit(plant::nest_own).result();
    FAIL("nothing was thrown");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()) == "shutting the plant down");
    try {
      std::rethrow_if_nested(error);
      FAIL("nothing is nested");
    } catch (const plant::overheated& inner) {
      CHECK(inner.degrees() == 99);
    }
  }
  check_computes(pool);
}

TEST_CASE("an unregistered exception type comes back as a remote_error with its name and message", "[error/unregistered][fault]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(plant::spring_a_leak, "the cellar");
  CHECK_THROWS_AS(task.result(), rankpool::remote_error);
  CHECK_THROWS_AS(task.result(), rankpool::error);
  CHECK_THROWS_WITH(task.result(), containing("plant::leak") && containing("water in the cellar"));
  const auto* where = rankpool::remote_context(task.exception());
  REQUIRE(where != nullptr);
  CHECK_THAT(where->type_name, containing("plant::leak"));
  check_computes(pool);
}

TEST_CASE("a thrown object that is not an exception comes back as a remote_error with the name of its type",
          "[error/no-exception][fault]") {
  rankpool::executor pool(cluster());
  CHECK_THROWS_AS(pool.submit(plant::throw_42).result(), rankpool::remote_error);
  CHECK_THROWS_WITH(pool.submit(plant::throw_42).result(), containing("int"));
  CHECK_THROWS_AS(pool.submit(plant::throw_text).result(), rankpool::remote_error);
  CHECK_THROWS_WITH(pool.submit(plant::throw_text).result(), containing("char"));
  CHECK_THROWS_AS(pool.submit(plant::smell_bad).result(), rankpool::remote_error);
  CHECK_THROWS_WITH(pool.submit(plant::smell_bad).result(), containing("plant::smell"));
  check_computes(pool);
}

TEST_CASE("a registered type whose name repeats its namespace may nest exceptions", "[fault][error/registered][error/nested]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit([]() -> int {
    try {
      throw std::runtime_error("inside");
    } catch (...) {
      std::throw_with_nested(own::labelled<own::label>("outside"));
    }
  });
  try {
    task.result();
    FAIL("nothing was thrown");
  } catch (const own::labelled<own::label>& error) {
    CHECK(std::string(error.what()) == "outside");
    CHECK_THROWS_WITH(std::rethrow_if_nested(error), "inside");
  }
  check_computes(pool);
}

TEST_CASE("a registered type that derives from std::nested_exception keeps its nested exception", "[fault][error/nested]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit([]() -> int {
    try {
      throw std::runtime_error("inside");
    } catch (...) {
      throw own::nesting("outside");
    }
  });
  try {
    task.result();
    FAIL("nothing was thrown");
  } catch (const own::nesting& error) {
    REQUIRE(error.nested_ptr() != nullptr);
    CHECK_THROWS_WITH(error.rethrow_nested(), "inside");
  }
  check_computes(pool);
}

TEST_CASE("a thrown null pointer, or a null pointer from what(), is an ordinary error", "[fault][error/null]") {
  rankpool::executor pool(cluster());
  CHECK_THROWS_AS(pool.submit([]() -> int { throw nullptr; }).result(), rankpool::remote_error);
  CHECK_THROWS_AS(pool.submit([]() -> int { throw static_cast<const char*>(nullptr); }).result(), rankpool::remote_error);
  CHECK_THROWS_AS(pool.submit([]() -> int { throw own::speechless(); }).result(), rankpool::remote_error);
  check_computes(pool);
}
