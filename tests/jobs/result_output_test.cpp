// Tests output files of earlier runs with a journal: which are replaced, kept or refused.
#include "engine/result_output.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "jobs/test_run.hpp"
#include "support/catch.hpp"
#include "support/scratch_directory.hpp"

namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a file that workers write is finished once, and the journal of another file is refused") {
  const support::scratch_directory folder;
  const std::string path = folder.file("out"), other = folder.file("other"), journal = folder.file("journal");
  {
    support::test_run first(path, journal, false);
    rankpool::result_file out = jobs::open_result_file(first, 1);
    out.write(std::as_bytes(std::span("a", 1)), 0);
    CHECK(!fs::exists(path));
    out.finish();
    CHECK_NOTHROW(first.settings().output.check_for_workers());  // accepted: a run with this journal wrote the file
  }
  {
    support::test_run second(path, journal, false);
    CHECK(jobs::open_result_file(second, 1).is_finished());
    CHECK(content_of(path) == "a");
  }
  support::test_run third(other, journal, false);
  try {
    (void)jobs::open_result_file(third, 1);
    FAIL("the file was opened");
  } catch (const jobs::usage_error& error) {
    CHECK_THAT(error.what(), support::containing("not of " + other));
  }
}

TEST_CASE("a file that no run with the journal wrote is refused, and the message names --force") {
  const support::scratch_directory folder;
  const std::string path = folder.file("out");
  std::ofstream(path) << "precious";
  for (const std::string& journal : {std::string(), folder.file("journal")}) {
    support::test_run run(path, journal, false);
    CHECK_THROWS_WITH(jobs::open_result_file(run, 1), "--output " + path + " exists already; --force replaces it");
  }
  CHECK(content_of(path) == "precious");
}

TEST_CASE("printed output is recorded as the library records its files: an edit that keeps the time is noticed") {
  const support::scratch_directory folder;
  const jobs::output_options where{.path = folder.file("out"), .journal = folder.file("journal")};
  const auto write = [&](const std::string& text) {
    support::test_run run({}, where.journal);
    jobs::output out(run, where);
    out.print(text);
    out.finish();
    return rankpool::written_files(run.journal()).contains(where.path);
  };
  CHECK(write("first"));
  CHECK(write("a longer text"));
  const auto time = fs::last_write_time(where.path);
  std::ofstream(where.path, std::ios::app) << ", edited";
  fs::last_write_time(where.path, time);
  CHECK_THROWS_WITH(write("again"), support::containing("exists already"));
  CHECK(content_of(where.path) == "a longer text, edited");
}

TEST_CASE("a file that is changed while a run with the journal writes its output is kept") {
  const support::scratch_directory folder;
  const jobs::output_options where{.path = folder.file("out"), .journal = folder.file("journal")};
  for (const bool is_changed : {false, true}) {
    support::test_run run({}, where.journal);
    jobs::output out(run, where);
    out.print("result");
    if (is_changed) {
      std::ofstream(where.path) << "precious";
      CHECK_THROWS_WITH(out.finish(), support::containing("File exists"));
    } else {
      out.finish();
    }
  }
  CHECK(content_of(where.path) == "precious");
}

TEST_CASE("only output that an earlier run with the journal wrote is replaced") {
  const support::scratch_directory folder;
  const std::string journal = folder.file("journal");
  const jobs::output_options where{.path = folder.file("out"), .journal = journal};
  for (const std::string text : {"first", "again"}) {
    CHECK_NOTHROW(where.check());
    support::test_run each({}, journal);
    jobs::output out(each, where);
    out.print(text);
    out.finish();
    CHECK(content_of(where.path) == text);
  }
  // A file that appeared or changed after the run with the journal belongs to another program.
  const jobs::output_options later{.path = folder.file("later"), .journal = journal};
  {
    support::test_run unfinished({}, journal);
    const jobs::output out(unfinished, later);
  }
  std::ofstream(later.path) << "precious";
  fs::last_write_time(where.path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  for (const auto& kept : {later, where}) {
    support::test_run again({}, journal);
    CHECK_THROWS_WITH(jobs::output(again, kept), support::containing("exists already"));
  }
  CHECK(content_of(later.path) == "precious");
  const jobs::output_options other{.path = folder.file("other"), .journal = journal};
  std::ofstream(other.path) << "precious";
  support::test_run again({}, journal);
  CHECK_THROWS_WITH(jobs::output(again, other), support::containing("exists already"));
  CHECK(content_of(other.path) == "precious");
}
