// Exceptions of tasks: standard exceptions keep their type, and remote_context says where they were thrown.
#include "support/gate.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <any>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <variant>
#include <vector>

using namespace support;

namespace {

template <class Exception>
int throw_with_message(const std::string& message) {
  throw Exception(message);
}

template <class Exception>
int throw_plain() {
  throw Exception();
}

int throw_system_error() { throw std::system_error(ENOENT, std::generic_category(), "opening the cupboard"); }

int throw_stream_failure() { throw std::ios_base::failure("broken stream"); }

int throw_filesystem_error() {
  throw std::filesystem::filesystem_error("cannot enter", "/attic", std::make_error_code(std::errc::permission_denied));
}

/// An error category of the program.
class kitchen_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "kitchen"; }
  std::string message(int problem) const override { return "kitchen problem " + std::to_string(problem); }
};

const std::error_category& kitchen() {
  static const kitchen_category category;
  return category;
}

int throw_kitchen_error(int problem) { throw std::system_error(problem, kitchen(), "while cooking"); }

int throw_error_of_made_category() {
  static const auto made = std::make_unique<kitchen_category>();
  throw std::system_error(3, *made, "while cooking");
}

std::filesystem::filesystem_error filesystem_error_of(bool two_paths) {
  const auto code = std::make_error_code(std::errc::cross_device_link);
  if (!two_paths) return {"cannot enter", "/attic", code};
  return {"cannot move", "/cellar/trunk", "/attic/tränk", code};
}

int throw_filesystem_error_of(bool two_paths) { throw filesystem_error_of(two_paths); }

int out_of_range_of_a_vector() { return numbers(3).at(7); }

int nest() {
  try {
    try {
      throw std::invalid_argument("the innermost");
    } catch (...) {
      std::throw_with_nested(std::out_of_range("in the middle"));
    }
  } catch (...) {
    std::throw_with_nested(std::runtime_error("the outermost"));
  }
}

/// Returns the messages of an exception and of its nested exceptions, outermost first.
std::vector<std::string> messages(const std::exception& error) {
  std::vector<std::string> result{error.what()};
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& inner) {
    for (auto& message : messages(inner)) result.push_back(std::move(message));
  }
  return result;
}

/// Returns the exception of a failed task as an Exception, or null if it has another type.
template <class Exception, class Future>
std::optional<std::string> message_as(const Future& task) {
  try {
    std::rethrow_exception(task.exception());
  } catch (const Exception& error) {
    return error.what();
  } catch (...) {
    return std::nullopt;
  }
}

template <class Exception>
void check_arrives_as_itself(rankpool::executor& pool) {
  const auto task = pool.submit(throw_with_message<Exception>, "what happened: \"all\" of it");
  CHECK(message_as<Exception>(task) == "what happened: \"all\" of it");
  CHECK_THROWS_AS(task.result(), Exception);
}

template <class Exception>
void check_plain_arrives_as_itself(rankpool::executor& pool) {
  const auto task = pool.submit(throw_plain<Exception>);
  CHECK(message_as<Exception>(task) == std::string(Exception().what()));
}

}  // namespace

TEST_CASE("every exception type of <stdexcept> arrives as itself, with its message", "[error/standard][fault]") {
  rankpool::executor pool(cluster());
  check_arrives_as_itself<std::logic_error>(pool);
  check_arrives_as_itself<std::invalid_argument>(pool);
  check_arrives_as_itself<std::domain_error>(pool);
  check_arrives_as_itself<std::length_error>(pool);
  check_arrives_as_itself<std::out_of_range>(pool);
  check_arrives_as_itself<std::runtime_error>(pool);
  check_arrives_as_itself<std::range_error>(pool);
  check_arrives_as_itself<std::overflow_error>(pool);
  check_arrives_as_itself<std::underflow_error>(pool);
  check_computes(pool);
}

TEST_CASE("the other standard exception types arrive as themselves", "[error/standard][fault]") {
  rankpool::executor pool(cluster());
  check_plain_arrives_as_itself<std::bad_alloc>(pool);
  check_plain_arrives_as_itself<std::bad_array_new_length>(pool);
  check_plain_arrives_as_itself<std::bad_cast>(pool);
  check_plain_arrives_as_itself<std::bad_typeid>(pool);
  check_plain_arrives_as_itself<std::bad_exception>(pool);
  check_plain_arrives_as_itself<std::bad_function_call>(pool);
  check_plain_arrives_as_itself<std::bad_optional_access>(pool);
  check_plain_arrives_as_itself<std::bad_variant_access>(pool);
  check_plain_arrives_as_itself<std::bad_any_cast>(pool);
  check_plain_arrives_as_itself<std::bad_weak_ptr>(pool);
  check_plain_arrives_as_itself<std::exception>(pool);
  check_computes(pool);
}

TEST_CASE("every exception type of rankpool arrives as itself, with its message", "[error/standard][fault]") {
  rankpool::executor pool(cluster());
  check_arrives_as_itself<rankpool::error>(pool);
  check_arrives_as_itself<rankpool::cancelled_error>(pool);
  check_arrives_as_itself<rankpool::timeout_error>(pool);
  check_arrives_as_itself<rankpool::pool_closed>(pool);
  check_arrives_as_itself<rankpool::broken_pool>(pool);
  check_arrives_as_itself<rankpool::stopped_error>(pool);
  check_arrives_as_itself<rankpool::journal_error>(pool);
  check_arrives_as_itself<rankpool::worker_lost>(pool);
  check_arrives_as_itself<rankpool::serialization_error>(pool);
  check_arrives_as_itself<rankpool::remote_error>(pool);
  check_computes(pool);
}

TEST_CASE("system errors keep their code", "[error/codes][fault]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(throw_system_error);
  try {
    task.result();
    FAIL("nothing was thrown");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::no_such_file_or_directory);
    CHECK(std::string(error.what()) ==
          std::string(std::system_error(ENOENT, std::generic_category(), "opening the cupboard").what()));
  }
  CHECK(message_as<std::ios_base::failure>(pool.submit(throw_stream_failure)).value_or("").find("broken stream") == 0);
  try {
    pool.submit(throw_filesystem_error).result();
    FAIL("nothing was thrown");
  } catch (const std::filesystem::filesystem_error& error) {
    CHECK(error.code() == std::errc::permission_denied);
    CHECK(error.path1() == "/attic");
  }
  check_computes(pool);
}

TEST_CASE("an error code of a category of the program keeps its category", "[error/codes][fault]") {
  rankpool::executor pool(cluster());
  for (const int problem : {7, 8}) {
    const auto task = pool.submit(throw_kitchen_error, problem);
    try {
      task.result();
      FAIL("nothing was thrown");
    } catch (const std::system_error& error) {
      CHECK(error.code() == std::error_code(problem, kitchen()));
      CHECK(error.code().message() == "kitchen problem " + std::to_string(problem));
    }
  }
  check_computes(pool);
}

TEST_CASE("an error code of a category that is made at run time keeps its name, number and message", "[error/codes][fault]") {
  rankpool::executor pool(cluster());
  try {
    pool.submit(throw_error_of_made_category).result();
    FAIL("nothing was thrown");
  } catch (const std::system_error& error) {
    CHECK(error.code().value() == 3);
    CHECK(std::string(error.code().category().name()) == "kitchen");
    CHECK(error.code().message() == "kitchen problem 3");
    CHECK(error.code() != std::error_code(3, std::generic_category()));
  }
  check_computes(pool);
}

TEST_CASE("a filesystem_error keeps both paths, its code and its message", "[error/codes][fault]") {
  rankpool::executor pool(cluster());
  for (const bool two : {false, true}) {
    try {
      pool.submit(throw_filesystem_error_of, two).result();
      FAIL("nothing was thrown");
    } catch (const std::filesystem::filesystem_error& error) {
      const auto expected = filesystem_error_of(two);
      CHECK(error.path1() == expected.path1());
      CHECK(error.path2() == expected.path2());
      CHECK(error.code() == expected.code());
      CHECK(std::string(error.what()) == expected.what());
    }
  }
  check_computes(pool);
}

TEST_CASE("exceptions that the standard library throws in a task arrive as themselves", "[error/standard][fault]") {
  rankpool::executor pool(cluster());
  CHECK_THROWS_AS(pool.submit(out_of_range_of_a_vector).result(), std::out_of_range);
  check_computes(pool);
}

TEST_CASE("exceptions arrive with their nested exceptions", "[error/nested][fault]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(nest);
  try {
    task.result();
    FAIL("nothing was thrown");
  } catch (const std::runtime_error& error) {
    CHECK(messages(error) == std::vector<std::string>{"the outermost", "in the middle", "the innermost"});
    try {
      std::rethrow_if_nested(error);
    } catch (const std::out_of_range& middle) {
      CHECK_THROWS_AS(std::rethrow_if_nested(middle), std::invalid_argument);
    }
  }
  check_computes(pool);
}

TEST_CASE("remote_context says where an exception was thrown", "[error/context][fault]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit(fail, "somewhere");
  std::set<int> ranks;
  for (const auto& worker : cluster().workers()) ranks.insert(worker.rank);
  try {
    task.result();
    FAIL("nothing was thrown");
  } catch (const std::exception& error) {
    const rankpool::remote_info* where = rankpool::remote_context(error);
    REQUIRE(where != nullptr);
    CHECK(ranks.count(where->rank) == 1);
    CHECK(where->host == cluster().workers().front().host);
    CHECK_THAT(where->type_name, containing("runtime_error"));
    CHECK(where->task == task.id());
  }
  const rankpool::remote_info* where = rankpool::remote_context(task.exception());
  REQUIRE(where != nullptr);
  CHECK(ranks.count(where->rank) == 1);
  check_computes(pool);
}

TEST_CASE("remote_info::task is the item's index in a map, and the index of a chunk's first item in a reduction", "[fault]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.chunksize = 3}, square_unless_fifth, std::vector{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  std::vector<std::uint64_t> failed;
  for (auto it = results.begin(); it != results.end(); ++it) {
    try {
      (void)*it;
    } catch (const std::invalid_argument& error) {
      REQUIRE(rankpool::remote_context(error) != nullptr);
      failed.push_back(rankpool::remote_context(error)->task);
    }
  }
  CHECK(failed == std::vector<std::uint64_t>{4, 9});

  try {
    (void)pool.transform_reduce({.chunksize = 3}, std::vector{1, 2, 3, 4, 6, 5, 7}, 0, add, square_unless_fifth);
    FAIL("nothing was thrown");
  } catch (const std::invalid_argument& error) {
    REQUIRE(rankpool::remote_context(error) != nullptr);
    CHECK(rankpool::remote_context(error)->task == 3);
  }
  check_computes(pool);
}

TEST_CASE("the broken_pool of a failed initializer has no remote_info, because rank 0 throws it", "[fault]") {
  rankpool::executor pool(cluster(), {.initializer = rankpool::partial(fail, "cannot begin")});
  const auto task = pool.submit(square, 1);
  REQUIRE_THROWS_AS(task.result(), rankpool::broken_pool);
  CHECK(rankpool::remote_context(task.exception()) == nullptr);
  check_cluster_computes();
}

TEST_CASE("an error that was not thrown in a task has no remote context") {
  CHECK(rankpool::remote_context(std::runtime_error("here")) == nullptr);
  CHECK(rankpool::remote_context(std::make_exception_ptr(std::runtime_error("here"))) == nullptr);
  CHECK(rankpool::remote_context(std::exception_ptr()) == nullptr);
  rankpool::executor pool(cluster());
  pool.shutdown();
  try {
    pool.submit(square, 1);
  } catch (const rankpool::pool_closed& error) {
    CHECK(rankpool::remote_context(error) == nullptr);
  }
}

TEST_CASE("each future has its own exception, the same one at each access", "[error/own-object][fault]") {
  rankpool::executor pool(cluster());
  const auto one = pool.submit(fail, "one");
  const auto two = pool.submit(fail, "two");
  CHECK(one.exception() == one.exception());
  CHECK(one.exception() != two.exception());
  const auto copy = one;
  CHECK(copy.exception() == one.exception());
  CHECK(message_as<std::runtime_error>(one) == "one");
  CHECK(message_as<std::runtime_error>(two) == "two");
  check_computes(pool);
}

TEST_CASE("futures that one event made fail each have their own exception", "[error/own-object][fault]") {
  {
    rankpool::executor pool(cluster(), {.initializer = [] { throw std::runtime_error("unfit"); }});
    std::vector<rankpool::future<int>> tasks;
    try {
      for (int i = 0; i < 20; ++i) tasks.push_back(pool.submit(square, i));
    } catch (const rankpool::broken_pool&) {
      // The first task may break the pool before the last is submitted.
    }
    std::vector<std::exception_ptr> errors;
    for (const auto& task : tasks) errors.push_back(task.exception());
    REQUIRE(errors.size() >= 2);
    for (auto error = errors.begin(); error != errors.end(); ++error) CHECK(std::count(error, errors.end(), *error) == 1);
    CHECK(tasks.front().exception() == errors.front());
  }
  check_cluster_computes();
}

TEST_CASE("an error of the library that a task throws arrives as itself", "[fault]") {
  rankpool::executor pool(cluster());
  const auto task = pool.submit([]() -> int { throw rankpool::timeout_error("the task's own"); });
  CHECK_THROWS_AS(task.result(), rankpool::timeout_error);
  CHECK_THROWS_WITH(task.result(20s), containing("the task's own"));
  check_computes(pool);
}

TEST_CASE("a task may catch its own exception and return a value") {
  rankpool::executor pool(cluster());
  CHECK(pool.submit([] {
              try {
                throw std::runtime_error("kept");
              } catch (const std::exception& error) {
                return std::string(error.what());
              }
            })
            .result() == "kept");
}

TEST_CASE("messages may be empty, long, and have any bytes", "[error/standard][fault]") {
  rankpool::executor pool(cluster());
  for (const std::string& message : {std::string(), std::string(100'000, 'x'), std::string("zwölf\n\ttabs %s %d")}) {
    CHECK(message_as<std::runtime_error>(pool.submit(fail, message)) == message);
  }
  check_computes(pool);
}

TEST_CASE("each of many failures among many successes is that of its own task", "[fault]") {
  rankpool::executor pool(cluster());
  std::vector<rankpool::future<int>> tasks;
  for (int i = 0; i < 500; ++i) tasks.push_back(pool.submit(square_unless_fifth, i));
  int wrong = 0;
  for (int i = 0; i < 500; ++i) {
    const auto& task = tasks[static_cast<std::size_t>(i)];
    if (i % 5 == 0) {
      wrong += message_as<std::invalid_argument>(task) != "no multiple of 5: " + std::to_string(i);
    } else {
      wrong += task.result() != i * i;
    }
  }
  CHECK(wrong == 0);
  check_computes(pool);
}
