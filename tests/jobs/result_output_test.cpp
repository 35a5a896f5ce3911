// Files that earlier runs with a journal wrote, as the jobs meet them: what is replaced, what is left, and what is refused.
#include "support/result_output.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "support/catch.hpp"
#include "support/scratch_directory.hpp"

namespace {

namespace fs = std::filesystem;

/// What one run of a job has.
struct run {
  jobs::command_context context;

  explicit run(const std::string& journal) {
    context.quiet = true;
    context.resumable.journal = journal;
    context.journal = rankpool::journal(journal);
  }
};

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a file that workers write is finished once, and the journal of another file is refused in the words of the command") {
  const support::scratch_directory folder;
  const std::string journal = folder.file("journal");
  const jobs::output_options where{.path = folder.file("out"), .journal = journal};
  {
    run first(journal);
    rankpool::result_file out = jobs::open_result_file(first.context, where, 1);
    out.write(std::as_bytes(std::span("a", 1)), 0);
    CHECK(!fs::exists(where.path));
    out.finish();
  }
  CHECK_NOTHROW(where.check_for_workers());  // it exists, but by this journal
  run second(journal);
  CHECK(jobs::open_result_file(second.context, where, 1).is_finished());
  CHECK(content(where.path) == "a");
  try {
    (void)jobs::open_result_file(second.context, {.path = folder.file("other")}, 1);
    FAIL("it was opened");
  } catch (const jobs::usage_error& error) {
    CHECK_THAT(error.what(), support::containing("not of " + folder.file("other")));
  }
}

TEST_CASE("a file of somebody else is refused with the option that would replace it") {
  const support::scratch_directory folder;
  std::ofstream(folder.file("out")) << "precious";
  const jobs::output_options where{.path = folder.file("out")};
  jobs::command_context plain;
  run kept(folder.file("journal"));
  for (jobs::command_context* context : {&plain, &kept.context}) {
    CHECK_THROWS_WITH(jobs::open_result_file(*context, where, 1),
                      "--output " + where.path + " exists already; --force replaces it");
  }
  CHECK(content(where.path) == "precious");
}

TEST_CASE("output that an earlier run with the journal has written is replaced, and no other") {
  const support::scratch_directory folder;
  const std::string journal = folder.file("journal");
  const jobs::output_options where{.path = folder.file("out"), .journal = journal};
  for (const std::string text : {"first", "again"}) {
    CHECK_NOTHROW(where.check());
    run each(journal);
    jobs::output out(each.context, where);
    out.print(text);
    out.finish();
    CHECK(content(where.path) == text);
  }
  // What has come up since a run that wrote nothing is somebody else's, and so is what was changed.
  const jobs::output_options later{.path = folder.file("later"), .journal = journal};
  {
    run unfinished(journal);
    const jobs::output out(unfinished.context, later);
  }
  std::ofstream(later.path) << "precious";
  fs::last_write_time(where.path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  for (const auto& kept : {later, where}) {
    run again(journal);
    CHECK_THROWS_WITH(jobs::output(again.context, kept), support::containing("exists already"));
  }
  CHECK(content(later.path) == "precious");
  const jobs::output_options other{.path = folder.file("other"), .journal = journal};
  std::ofstream(other.path) << "precious";
  run again(journal);
  CHECK_THROWS_WITH(jobs::output(again.context, other), support::containing("exists already"));
  CHECK(content(other.path) == "precious");
}
