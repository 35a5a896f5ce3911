// Tests how the pictures of a run are counted.
#include "image/tally.hpp"

#include "jobs/test_run.hpp"
#include "support/catch.hpp"

namespace {

int nothing() { return 0; }

}  // namespace

TEST_CASE("a picture whose task did not run because of --max-failures is left out") {
  support::test_run run(support::limited_to(1));
  jobs::tally pictures(run, 3, false);
  const auto cancelled = [] { throw rankpool::cancelled_error(); };
  CHECK_THROWS_AS(pictures.add_from(cancelled), rankpool::cancelled_error);  // not because of the limit
  (void)run.pool();
  run.failures().count();
  CHECK_NOTHROW(pictures.add_from(cancelled));
  CHECK_NOTHROW(pictures.add_from([&] { (void)run.pool().submit(nothing); }));
  pictures.add(100);
  CHECK(pictures.failed() == 0);
  CHECK(pictures.report() == 1);
}
