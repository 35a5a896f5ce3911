// Tests the progress text of a job.
#include "engine/progress.hpp"

#include <chrono>
#include <string>

#include "support/catch.hpp"

using namespace std::chrono_literals;

TEST_CASE("progress shows a total only while it is not exceeded") {
  CHECK(jobs::progress::text(1, 2, 0, 10s) == "1 of 2 done, 0.1/s, 0:10 passed, about 0:10 left");
  CHECK(jobs::progress::text(2, 2, 0, 10s) == "2 of 2 done, 0.2/s, 0:10 passed");
  CHECK(jobs::progress::text(56, 1, 0, 10s) == "56 done, 5.6/s, 0:10 passed");
  CHECK(jobs::progress::text(56, 0, 0, 10s) == "56 done, 5.6/s, 0:10 passed");
}
