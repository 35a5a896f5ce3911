// The stack trace of a throw in remote_context.
#include "support/tasks.hpp"

#include <stdexcept>
#include <string>

using namespace support;

// These functions are neither inlined nor static, so that a trace shows their names even without debug information.
namespace trace_test {

[[gnu::noinline]] int innermost(int n) {
  if (n != 3) return n;
  throw std::runtime_error("at the bottom");
}

[[gnu::noinline]] int outer(int n) { return innermost(n) + 1; }

[[gnu::noinline]] int rethrows(int n) {
  try {
    return outer(n) + 1;
  } catch (const std::runtime_error&) {
    throw;
  }
}

[[gnu::noinline]] int wraps(int n) {
  try {
    return outer(n) + 1;
  } catch (...) {
    std::throw_with_nested(std::logic_error("around it"));
  }
}

[[gnu::noinline]] int at_of_a_vector(int n) { return numbers(n).at(7) + 1; }

int throws_what_was_made(int) { std::rethrow_exception(std::make_exception_ptr(std::runtime_error("made, not thrown"))); }

}  // namespace trace_test

namespace {

std::string trace_of(const std::exception_ptr& error) {
  const rankpool::remote_info* where = rankpool::remote_context(error);
  return where == nullptr ? "no context" : where->trace;
}

}  // namespace

TEST_CASE("a trace has the functions of the throw, innermost first, without those of the pool", "[error/trace][fault]") {
  rankpool::executor pool(cluster());
  const std::string trace = trace_of(pool.submit(trace_test::outer, 3).exception());
  const auto inner = trace.find("trace_test::innermost");
  const auto outer = trace.find("trace_test::outer");
  CAPTURE(trace);
  CHECK(inner != std::string::npos);
  CHECK(outer != std::string::npos);
  CHECK(inner < outer);
  CHECK(trace.find("#0 ") == 0);
  CHECK(trace.find("rankpool::detail::worker") == std::string::npos);
  CHECK(trace.find("__cxa_throw") == std::string::npos);
  check_computes(pool);
}

TEST_CASE("a rethrown exception has the trace of its first throw", "[error/trace][fault]") {
  rankpool::executor pool(cluster());
  CHECK_THAT(trace_of(pool.submit(trace_test::rethrows, 3).exception()), containing("trace_test::innermost"));
  check_computes(pool);
}

TEST_CASE("exceptions that the standard library throws have a trace", "[error/trace][fault]") {
  rankpool::executor pool(cluster());
  CHECK_THAT(trace_of(pool.submit(trace_test::at_of_a_vector, 3).exception()), containing("trace_test::at_of_a_vector"));
  check_computes(pool);
}

TEST_CASE("a nested exception has the trace of its own throw", "[error/trace][fault]") {
  rankpool::executor pool(cluster());
  const auto error = pool.submit(trace_test::wraps, 3).exception();
  CHECK_THAT(trace_of(error), containing("trace_test::wraps"));
  try {
    std::rethrow_exception(error);
  } catch (const std::logic_error& outer) {
    try {
      std::rethrow_if_nested(outer);
      FAIL("nothing was nested");
    } catch (...) {
      CHECK_THAT(trace_of(std::current_exception()), containing("trace_test::innermost"));
    }
  }
  check_computes(pool);
}

TEST_CASE("each failed item of a map has the trace of its own throw", "[error/trace][fault]") {
  rankpool::executor pool(cluster());
  auto results = pool.map({.chunksize = 10}, trace_test::outer, numbers(10));
  int failed = 0;
  for (auto item = results.begin(); item != results.end(); ++item) {
    try {
      (void)*item;
    } catch (...) {
      ++failed;
      CHECK_THAT(trace_of(std::current_exception()), containing("trace_test::innermost"));
    }
  }
  CHECK(failed == 1);
  check_computes(pool);
}

TEST_CASE("an exception that was not thrown has no trace, not even that of another task", "[error/trace][fault]") {
  rankpool::executor pool(cluster(), {.max_workers = 1});
  for (int i = 0; i < 10; ++i) {
    CHECK_FALSE(trace_of(pool.submit(trace_test::outer, 3).exception()).empty());
    CHECK(trace_of(pool.submit(trace_test::throws_what_was_made, 3).exception()).empty());
  }
  check_computes(pool);
}
