// Tests the parser of times on the command line.
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/duration.hpp"

TEST_CASE("times are read in seconds or with a unit") {
  CHECK(jobs::parse_duration("90") == 90);
  CHECK(jobs::parse_duration("1.5s") == 1.5);
  CHECK(jobs::parse_duration("250ms") == 0.25);
  CHECK(jobs::parse_duration("5min") == 300);
  CHECK(jobs::parse_duration("5m") == 300);
  CHECK(jobs::parse_duration("1h") == 3600);
  CHECK(jobs::parse_duration("2d") == 172800);
  CHECK(jobs::parse_duration("0") == 0);
}

TEST_CASE("an invalid time is refused") {
  for (const std::string text : {"", "s", "soon", "-1", "1 week", "inf", "nan", "1e400", "5mins"}) {
    CHECK_THROWS_AS(jobs::parse_duration(text), std::invalid_argument);
  }
}
