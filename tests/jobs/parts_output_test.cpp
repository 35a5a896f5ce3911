// Files that workers write part by part appear under their name when they are whole, and with a journal over several runs.
#include "support/parts_output.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "support/catch.hpp"
#include "support/scratch_directory.hpp"
#include "jobs/test_run.hpp"

namespace {

namespace fs = std::filesystem;

/// A run with this journal.
struct run : support::test_run {
  explicit run(const std::string& journal) : test_run({}, journal, false) {}
};

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const jobs::parts_output& out, char letter, std::uint64_t offset) {
  const std::array<char, 1> text{letter};
  out.write(std::as_bytes(std::span(text)), offset);
}

}  // namespace

TEST_CASE("without a journal nothing is left of a file that was not finished") {
  const support::scratch_directory folder;
  {
    support::test_run context;
    const jobs::parts_output out(context, {.path = folder.file("out")}, 2);
    CHECK(fs::file_size(out.path()) == 2);
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("with a journal the next run goes on with the file, and the one after that finds it finished") {
  const support::scratch_directory folder;
  const std::string journal = folder.file("journal");
  const jobs::output_options where{.path = folder.file("out"), .journal = journal};
  {
    run first(journal);
    jobs::parts_output out(first, where, 2);
    write(out, 'a', 0);
  }
  {
    run second(journal);
    jobs::parts_output out(second, where, 2);
    REQUIRE(!out.is_finished());
    write(out, 'b', 1);
    CHECK(!fs::exists(where.path));
    out.finish();
  }
  CHECK(content(where.path) == "ab");
  CHECK(folder.files() == 2);
  CHECK_NOTHROW(where.check_for_workers());  // it exists, but by this journal
  run third(journal);
  CHECK(jobs::parts_output(third, where, 2).is_finished());
  CHECK(content(where.path) == "ab");
}

TEST_CASE("a journal that has parts of another file, or of one that is lost, is no use") {
  const support::scratch_directory folder;
  run one(folder.file("journal"));
  std::string parts;
  {
    const jobs::parts_output out(one, {.path = folder.file("out")}, 2);
    parts = out.path();
  }
  CHECK_THROWS_WITH(jobs::parts_output(one, {.path = folder.file("other")}, 2), support::containing("not into"));
  fs::remove(parts);
  CHECK_THROWS_WITH(jobs::parts_output(one, {.path = folder.file("out")}, 2), support::containing("which is lost"));
  std::ofstream(folder.file("out")) << "xx";  // by somebody else
  CHECK_THROWS_WITH(jobs::parts_output(one, {.path = folder.file("out"), .force = true}, 2),
                    support::containing("which is lost"));
  CHECK(content(folder.file("out")) == "xx");
}

TEST_CASE("a file between two passes that a killed run has left is removed when the result is there") {
  const support::scratch_directory folder;
  run one(folder.file("journal"));
  const jobs::output_options between{folder.file("out.carried")};
  jobs::parts_output::remove_remains(one, between, "between");  // there is none yet
  { const jobs::parts_output left(one, between, 2, "between"); }
  CHECK(folder.files() > 1);
  jobs::parts_output::remove_remains(one, between, "between");
  CHECK(std::ranges::none_of(fs::directory_iterator(folder.path()),
                             [](const auto& entry) { return entry.path().filename().string().starts_with("out"); }));
}

TEST_CASE("output that an earlier run with the journal has written is replaced, and no other") {
  const support::scratch_directory folder;
  const std::string journal = folder.file("journal");
  const jobs::output_options where{.path = folder.file("out"), .journal = journal};
  for (const std::string text : {"first", "again"}) {
    CHECK_NOTHROW(where.check());
    run each(journal);
    jobs::output out(each, where);
    out.print(text);
    out.finish();
    CHECK(content(where.path) == text);
  }
  // What has come up since a run that wrote nothing is somebody else's, and so is what was changed.
  const jobs::output_options later{.path = folder.file("later"), .journal = journal};
  {
    run unfinished(journal);
    const jobs::output out(unfinished, later);
  }
  std::ofstream(later.path) << "precious";
  fs::last_write_time(where.path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  for (const auto& kept : {later, where}) {
    run again(journal);
    CHECK_THROWS_WITH(jobs::output(again, kept), support::containing("exists already"));
  }
  CHECK(content(later.path) == "precious");
  const jobs::output_options other{.path = folder.file("other"), .journal = journal};
  std::ofstream(other.path) << "precious";
  run again(journal);
  CHECK_THROWS_WITH(jobs::output(again, other), support::containing("exists already"));
  CHECK(content(other.path) == "precious");
}
