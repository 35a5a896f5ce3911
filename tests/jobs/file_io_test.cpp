// Tests files that workers read: reads are complete, or throw an error that names the file, wherever the error occurs.
#include "support/file_io.hpp"

#include <rankpool/rankpool.hpp>

#include <cerrno>
#include <span>
#include <string>

#include "support/catch.hpp"
#include "support/cluster.hpp"

namespace {

int read_what_is_not_there(int) {
  const jobs::file missing("/proc/no/such/file");
  return 0;
}

}  // namespace

TEST_CASE("a file error of a worker keeps its type and names the rank") {
  rankpool::executor pool(support::cluster());
  try {
    (void)pool.submit(read_what_is_not_there, 1).result();
    FAIL("it was read");
  } catch (const jobs::file_error& error) {
    CHECK(error.code().value() == ENOENT);
    CHECK_THAT(error.what(), support::containing("cannot read /proc/no/such/file"));
    REQUIRE(rankpool::remote_context(error) != nullptr);
  }
}

TEST_CASE("a scratch file returns the written bytes, and reports its end") {
  const jobs::file scratch = jobs::file::scratch();
  const std::string text = "in the middle";
  scratch.write_items(std::span(text), 100);
  std::string back(text.size(), '\0');
  scratch.read_items(std::span(back), 100);
  CHECK(back == text);
  CHECK(scratch.size() == 100 + text.size());
  CHECK_THROWS_WITH(scratch.read_items(std::span(back), 101), support::containing("ends too early"));
}

TEST_CASE("a failed write returns errno") {
  CHECK(jobs::write_all(-1, "text") == EBADF);
  CHECK(jobs::write_all(-1, "") == 0);
}
