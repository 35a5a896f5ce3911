// Tests that results reach stdout or a file completely, and that an incomplete file never gets its final name.
#include "engine/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/file_io.hpp"
#include "support/scratch_directory.hpp"

namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Returns the text that `print` writes for `parts`.
template <class... Parts>
std::string printed(const Parts&... parts) {
  const support::scratch_directory folder;
  jobs::output out({.path = folder.file("out")});
  out.print(parts...);
  out.finish();
  return content(folder.file("out"));
}

}  // namespace

TEST_CASE("numbers of all sizes are printed in full") {
  CHECK(printed("a", 'b', std::string("c"), '\n') == "abc\n");
  CHECK(printed(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(printed(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(printed(mpz_class("-123456789012345678901234567890")) == "-123456789012345678901234567890");
  const auto largest = ~static_cast<unsigned __int128>(0);
  CHECK(printed(largest) == "340282366920938463463374607431768211455");
  CHECK(printed(static_cast<__int128>(largest >> 1)) == "170141183460469231731687303715884105727");
  CHECK(printed(-static_cast<__int128>(largest >> 1) - 1) == "-170141183460469231731687303715884105728");
  const auto ten_to_19 = static_cast<unsigned __int128>(10'000'000'000'000'000'000U);
  CHECK(printed(ten_to_19 * 7 + 5) == "70000000000000000005");
  CHECK(printed(ten_to_19 * ten_to_19) == "100000000000000000000000000000000000000");
}

TEST_CASE("numbers of every length have all their digits") {
  std::string expected;
  jobs::text_builder text;
  for (std::uint64_t power = 1;; power *= 10) {
    for (const std::uint64_t n : {power - 1, power, power + 1, power + power / 2, power * 9 / 7}) {
      text.print(n, ' ', -static_cast<std::int64_t>(n / 2), '\n');
      expected += std::to_string(n) + ' ' + std::to_string(-static_cast<std::int64_t>(n / 2)) + '\n';
    }
    if (power == 10'000'000'000'000'000'000U) break;
  }
  for (int n = 0; n < 100'000; ++n) {
    text.print(n, '\n');
    expected += std::to_string(n) + '\n';
  }
  CHECK(text.take() == expected);
  CHECK(text.take().empty());
}

TEST_CASE("a text builder makes the same text as an output") {
  jobs::text_builder text;
  const auto wide = static_cast<unsigned __int128>(1) << 100;
  text.print("n = ", -7, ',', static_cast<__int128>(wide), '\n');
  text.print(wide);
  CHECK(text.take() == "n = -7,1267650600228229401496703205376\n1267650600228229401496703205376");
}

TEST_CASE("lists are printed as in Python") {
  const support::scratch_directory folder;
  jobs::output out({.path = folder.file("out")});
  jobs::print_list(out, std::vector<int>{});
  jobs::print_list(out, std::vector{1});
  jobs::print_list(out, std::vector{1, -2});
  out.finish();
  CHECK(content(folder.file("out")) == "[][1][1, -2]");
}

TEST_CASE("output that exceeds the buffer is written in order") {
  const support::scratch_directory folder;
  jobs::output out({.path = folder.file("out")});
  std::string expected;
  for (int i = 0; i < 400'000; ++i) {
    out.print(i, '\n');
    expected += std::to_string(i) + '\n';
  }
  const std::string large(3 << 20, 'x');
  out.print(large);
  out.print('y');
  out.finish();
  CHECK(content(folder.file("out")) == expected + large + 'y');
}

TEST_CASE("a file has its final name only when it is finished") {
  const support::scratch_directory folder;
  {
    jobs::output out({.path = folder.file("out")});
    out.print("half");
    out.flush();
    CHECK_FALSE(fs::exists(folder.file("out")));
    CHECK(folder.files() == 1);
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("a file that exists is replaced only with force") {
  const support::scratch_directory folder;
  std::ofstream(folder.file("out")) << "old";
  CHECK_THROWS_AS((jobs::output_options{.path = folder.file("out")}.check()), jobs::usage_error);
  CHECK_NOTHROW((jobs::output_options{.path = folder.file("out"), .force = true}.check()));
  {
    jobs::output out({.path = folder.file("out")});
    out.print("new");
    CHECK_THROWS_AS(out.finish(), jobs::output_error);
  }
  CHECK(content(folder.file("out")) == "old");
  jobs::output out({.path = folder.file("out"), .force = true});
  out.print("new");
  out.finish();
  CHECK(content(folder.file("out")) == "new");
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that took the final name after the start is kept") {
  const support::scratch_directory folder;
  jobs::output out({.path = folder.file("out")});
  out.print("new");
  std::ofstream(folder.file("out")) << "old";
  CHECK_THROWS_WITH(out.finish(), support::containing("File exists"));
  CHECK(content(folder.file("out")) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("the temporary file of another process with the same id is not touched") {
  const support::scratch_directory folder;
  const std::string left = folder.file("out.part-" + std::to_string(::getpid()));
  std::ofstream(left) << "left";
  jobs::output out({.path = folder.file("out")});
  out.print("new");
  out.finish();
  CHECK(content(folder.file("out")) == "new");
  CHECK(content(left) == "left");
}

TEST_CASE("a symbolic link is kept and its target is written, whether the target exists or not") {
  const support::scratch_directory folder;
  fs::create_directory(folder.path() / "elsewhere");
  fs::create_symlink("elsewhere/file", folder.file("second"));
  fs::create_symlink(folder.file("second"), folder.file("link"));
  for (const std::string text : {"first", "again"}) {
    const jobs::output_options where{.path = folder.file("link"), .force = text == "again"};
    CHECK_NOTHROW(where.check());
    jobs::output out(where);
    out.print(text);
    out.finish();
    CHECK(fs::is_symlink(folder.file("link")));
    CHECK(fs::is_symlink(folder.file("second")));
    CHECK(content(folder.file("elsewhere/file")) == text);
  }
  CHECK_THROWS_AS((jobs::output_options{.path = folder.file("link")}.check()), jobs::usage_error);
  fs::create_symlink("circle", folder.file("circle"));
  CHECK_THROWS_WITH((jobs::output_options{.path = folder.file("circle")}.check()), support::containing("Too many levels"));
}

TEST_CASE("a device, a pipe or an open descriptor is written directly, even if it is an existing file") {
  const support::scratch_directory folder;
  std::ofstream(folder.file("out")) << "old,";
  const jobs::file open(folder.file("out"));
  const std::string descriptor = "/proc/self/fd/" + std::to_string(open.descriptor());
  fs::create_symlink(descriptor, folder.file("link"));
  for (const std::string& path : {descriptor, folder.file("link")}) {
    CHECK_NOTHROW(jobs::output_options{.path = path}.check());
    jobs::output out({.path = path});
    out.print("new,");
    out.finish();
  }
  CHECK(content(folder.file("out")) == "old,new,new,");
  CHECK(folder.files() == 2);
  CHECK_THROWS_WITH(jobs::output_options{.path = "/dev/nul"}.check(), support::containing("/dev/nul"));
}

TEST_CASE("a file that workers write in parallel must be a regular file") {
  const support::scratch_directory folder;
  REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  for (const std::string& path : {std::string("-"), std::string("/dev/stdout"), std::string("/dev/null"), folder.file("pipe")})
    CHECK_THROWS_WITH(jobs::output_options{.path = path}.check_for_workers(), support::containing("is not a regular file"));
  CHECK_NOTHROW(jobs::output_options{.path = folder.file("new")}.check_for_workers());
}

TEST_CASE("a FIFO that took the final name after the start is not replaced, even with force") {
  const support::scratch_directory folder;
  jobs::output out({.path = folder.file("out"), .force = true});
  out.print("new");
  REQUIRE(::mkfifo(folder.file("out").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(out.finish(), support::containing("File exists"));
  CHECK(fs::is_fifo(folder.file("out")));
  CHECK(folder.files() == 1);
}

TEST_CASE("an output under any name of an input is refused") {
  const support::scratch_directory folder;
  const std::string input = folder.file("in");
  std::ofstream(input) << "text";
  fs::create_directory(folder.path() / "elsewhere");
  fs::create_symlink("../in", folder.file("elsewhere/link"));
  fs::create_directory_symlink(".", folder.file("same"));
  const auto check = [&](const std::string& output) {
    jobs::check_distinct({{input, "--file"}}, {{.path = output, .force = true}});
  };
  for (const std::string& same : {input, folder.file("./in"), folder.file("elsewhere/link"), folder.file("same/in")})
    CHECK_THROWS_WITH(check(same),
                      "--output " + same + " and --file " + input + " are the same file; choose another file for the output");
  CHECK_THROWS_AS(jobs::check_distinct({{folder.file("elsewhere/link"), "--file"}}, {{.path = input}}), jobs::usage_error);
  CHECK_NOTHROW(check(folder.file("out")));
  CHECK_NOTHROW(check(folder.file("elsewhere/in")));
  CHECK_NOTHROW(check("/dev/null"));
  // A rename over a hard link does not change the input; writing to an open descriptor does.
  fs::create_hard_link(input, folder.file("hard"));
  CHECK_NOTHROW(check(folder.file("hard")));
  const jobs::file open(input);
  CHECK_THROWS_AS(check("/proc/self/fd/" + std::to_string(open.descriptor())), jobs::usage_error);
}

TEST_CASE("an output may replace an input if the job allows it, but not with a journal") {
  const support::scratch_directory folder;
  const std::string input = folder.file("in");
  std::ofstream(input) << "text";
  jobs::output_options output{.path = input, .force = true, .may_replace = {input}};
  CHECK_NOTHROW(jobs::check_distinct({{input, "INPUT"}}, {output}));
  CHECK_THROWS_AS(jobs::check_distinct({{input, "INPUT"}}, {{.path = input, .may_replace = {"other"}}}), jobs::usage_error);
  output.journal = folder.file("journal");
  CHECK_THROWS_AS(jobs::check_distinct({{input, "INPUT"}}, {output}), jobs::usage_error);
}

TEST_CASE("two outputs with one file, and an output to the journal, are refused") {
  const support::scratch_directory folder;
  const std::string out = folder.file("out");
  const auto check_two = [](const std::string& a, const std::string& b) {
    jobs::check_distinct({}, {{.path = a}, {.path = b, .option = "--log"}});
  };
  CHECK_THROWS_WITH(check_two(out, folder.file("./out")), support::containing("--log") && support::containing("--output"));
  CHECK_NOTHROW(check_two(out, folder.file("log")));
  CHECK_NOTHROW(check_two("/dev/null", "/dev/null"));
  CHECK_THROWS_WITH((jobs::output_options{.path = out, .force = true, .journal = out}.check()), support::containing("--journal"));
}

TEST_CASE("an output that cannot be written is refused before the work") {
  const support::scratch_directory folder;
  CHECK_THROWS_WITH((jobs::output_options{.path = folder.path().string()}.check()), support::containing("is a folder"));
  CHECK_THROWS_WITH((jobs::output_options{.path = folder.file("no/out")}.check()),
                    support::containing("No such file or directory"));
  CHECK_NOTHROW((jobs::output_options{.path = "/dev/null"}.check()));
  CHECK_NOTHROW(jobs::output_options{}.check());
}

TEST_CASE("a full disk is an error with its reason") {
  if (!fs::exists("/dev/full")) return;
  jobs::output out({.path = "/dev/full"});
  out.print("lost");
  CHECK_THROWS_WITH(out.finish(), support::containing("/dev/full") && support::containing("No space left on device"));
}

TEST_CASE("a closed pipe is an output error with EPIPE") {
  const auto previous = std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  jobs::output out(ends[1], "the pipe");
  out.print("unread");
  try {
    out.flush();
    FAIL("nothing was thrown");
  } catch (const jobs::output_error& error) {
    CHECK(error.code().value() == EPIPE);
  }
  CHECK_NOTHROW(out.finish());  // the failed text is not written again
  ::close(ends[1]);
  std::signal(SIGPIPE, previous);
}
