// Tests the output of the job `exec`: its order, and the records of --log and --results.
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/output.hpp"
#include "exec/command.hpp"
#include "exec/ordered_output.hpp"
#include "exec/records.hpp"
#include "support/catch.hpp"

TEST_CASE("output from memory and from a file is printed in order") {
  for (const std::size_t most_bytes : {std::size_t{1000}, std::size_t{0}}) {
    std::string text;
    jobs::ordered_output ordered([&](const jobs::printed& p) { text += p.out + p.err + p.record; }, most_bytes);
    for (const std::uint64_t n : {3U, 2U, 5U, 1U}) ordered.add(n, {std::to_string(n), "e", ""});
    CHECK(text == "1e2e3e");
    CHECK(ordered.next() == 4);
    ordered.add(7, {"", "", "r"});
    ordered.finish();
    CHECK(text == "1e2e3e5er");
  }
}

namespace {

/// Returns the total size of the open files of this process that have no name.
std::uint64_t bytes_without_name() {
  std::uint64_t bytes = 0;
  for (int descriptor = 3; descriptor < 1000; ++descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 0)
      bytes += static_cast<std::uint64_t>(status.st_size);
  }
  return bytes;
}

}  // namespace

TEST_CASE("printed output is removed from the disk, even while more output arrives") {
  std::uint64_t printed = 0;
  jobs::ordered_output ordered([&](const jobs::printed& p) { printed += p.out.size(); }, 0, 10'000);
  const std::uint64_t before = bytes_without_name();
  std::uint64_t most = 0;
  ordered.add(2, {std::string(1000, 'x'), "", ""});
  for (std::uint64_t n = 1; n < 401; n += 2) {  // one output is always waiting
    ordered.add(n + 3, {std::string(1000, 'x'), "", ""});
    ordered.add(n, {std::string(1000, 'x'), "", ""});
    most = std::max(most, bytes_without_name() - before);
  }
  CHECK(printed == 400'000);
  CHECK(most > 0);
  CHECK(most < 30'000);
  ordered.finish();
  CHECK(bytes_without_name() == before);
}

TEST_CASE("an error of the temporary output file is an output error that names a remedy") {
  const std::string before = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "";
  ::setenv("TMPDIR", "/proc/no", 1);
  jobs::ordered_output ordered([](const jobs::printed&) {}, 0);
  CHECK_THROWS_AS(ordered.add(2, {"x", "", ""}), jobs::output_error);
  before.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before.c_str(), 1);
}

TEST_CASE("a record is one line, whatever the command contains") {
  const jobs::command what{2, {"echo", "a\tb\nc"}, false};
  jobs::command_outcome outcome;
  outcome.out = "12345";
  outcome.err = "\xff\"";
  outcome.host = "node";
  outcome.rank = 4;
  outcome.start = 1.25;
  outcome.status = 3;
  CHECK(jobs::log_line(what, outcome) == "2\tnode\t1.250\t0.000\t0\t5\t3\t0\techo 'a\\tb\\nc'\t4\n");
  CHECK(jobs::json_line(what, outcome, 1) ==
        R"({"sequence":2,"command":"echo 'a\tb\nc'","host":"node","rank":4,"start":1.25,"seconds":0.0,"status":3,"signal":0,)"
        "\"timed_out\":false,\"tries\":1,\"stdout_bytes\":5,\"stderr\":\"\xef\xbf\xbd\\\"\"}\n");
}
