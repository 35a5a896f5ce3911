// Addresses in libraries that are loaded and unloaded: they are located and resolved with the libraries loaded at that moment.
#include "support/catch.hpp"
#include "support/plugin.hpp"

#include <rankpool/detail/wire/code_address.hpp>
#include <rankpool/errors.hpp>

#include <optional>

using namespace rankpool::detail;
using support::plugin;

TEST_CASE("a function of a library is found as long as the library is loaded, and again when it is loaded again") {
  std::optional<plugin> library(PLUGIN_1000);
  const code_address where = locate_function(library->work());
  CHECK(resolve_function<plugin::function>(where)(1) == 1001);
  library.reset();
  CHECK_THROWS_AS(resolve_code(where), rankpool::serialization_error);
  library.emplace(PLUGIN_1000);
  CHECK(resolve_function<plugin::function>(where)(1) == 1001);
}

TEST_CASE("a library at the address of an unloaded one is not mistaken for it") {
  std::optional<plugin> library(PLUGIN_1000);
  const plugin::function first = library->work();
  const code_address where = locate_function(first);
  CHECK(resolve_code(where) != nullptr);
  library.reset();
  library.emplace(PLUGIN_2000);
  const plugin::function second = library->work();
  if (second != first) WARN("the loader has put the second library elsewhere");
  CHECK(locate_function(second).module != where.module);
  CHECK_THROWS_AS(resolve_code(where), rankpool::serialization_error);
  CHECK(find_object(where, 1) == nullptr);
  library.reset();
  CHECK_THROWS_AS(locate_function(second), rankpool::serialization_error);
  CHECK(locate_object(reinterpret_cast<const void*>(second)) == code_address{});
}
