// Tests the parser of sizes in bytes.
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/size.hpp"

using jobs::parse_size;

TEST_CASE("a size has binary or decimal units, or none") {
  CHECK(parse_size("65536") == 65536);
  CHECK(parse_size("2^19") == 524288);
  CHECK(parse_size("100B") == 100);
  CHECK(parse_size("512K") == 524288);
  CHECK(parse_size("512k") == 524288);
  CHECK(parse_size("4g") == 4294967296);
  CHECK(parse_size("1MiB") == 1048576);
  CHECK(parse_size("1.5G") == 1610612736);
  CHECK(parse_size("4GB") == 4000000000);
  CHECK(parse_size("2T") == 2199023255552);
  CHECK(parse_size("0.5kB") == 500);
}

TEST_CASE("an invalid size is refused") {
  for (const std::string text : {"", "G", "-1G", "1.5", "1X", "1 G B", "4KB", "1e30G", "nanG"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_size(text), std::logic_error);
  }
}
