// Files that tasks write: complete under their names, resumed by later runs, and never in place of somebody else's file. A second
// run in the same process is played by a copy of the journal, because calls on one file are numbered as long as a process lives.
#include <rankpool/result_file.hpp>
#include <rankpool/result_files.hpp>

#include "support/gate.hpp"
#include "support/scratch_directory.hpp"
#include "support/tasks.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

using namespace support;
namespace fs = std::filesystem;

namespace {

std::atomic<int> synced_parts = 0;  // of this process

}  // namespace

/// Counts the calls on result files, then calls the function of the C library.
extern "C" int fdatasync(int descriptor) {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size());
  if (length > 0 && std::string_view(path.data(), static_cast<std::size_t>(length)).find(".part-") != std::string_view::npos)
    ++synced_parts;
  return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

namespace {

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Returns the error number, or 0 if there is no error.
template <class F>
int error_of(F f) {
  try {
    f();
    return 0;
  } catch (const std::system_error& error) {
    return error.code().value();
  }
}

/// Files and journals of several runs.
class file_runs {
 public:
  std::string file(const std::string& name) const { return files_.file(name); }
  /// Every name in the folder of the files, in order.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(files_.path())) found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    return found;
  }
  /// The journal of the next run: a copy of the last one, once that is closed.
  std::string next_journal() {
    const std::string last = journals_.file(std::to_string(runs_));
    const std::string next = journals_.file(std::to_string(++runs_));
    if (!fs::exists(last)) return next;
    REQUIRE(eventually([&] {
      rankpool::executor(cluster()).submit(nothing).result();  // inline, nothing else would end what was begun
      return !fs::exists(last + "-wal");
    }));
    fs::copy_file(last, next);
    return next;
  }
  std::string marks() const { return marks_.path().string(); }
  /// How many tasks have left a mark since the last call.
  int ran() {
    int number = 0;
    for (const auto& entry : fs::directory_iterator(marks_.path())) {
      if (entry.path().filename() != "refused") number += static_cast<int>(fs::remove(entry.path()));
    }
    return number;
  }

 private:
  scratch_directory files_, journals_, marks_;
  int runs_ = 0;
};

// ---- parts

char letter(int part) { return static_cast<char>('a' + part); }

/// Writes the letter of a part, and leaves a mark. Part 3 fails while there is a mark "refused".
int write_letter(const rankpool::result_writer& file, const std::string& marks, int part) {
  leave_mark(marks + "/" + std::to_string(part));
  if (part == 3 && fs::exists(marks + "/refused")) throw std::runtime_error("refused");
  file.write(bytes_of(std::string(1, letter(part))), static_cast<std::uint64_t>(part));
  return part;
}

/// Two parts in one task.
void write_both_ends(const rankpool::result_writer& file, std::uint64_t last) {
  rankpool::result_part part(file);
  part.write(bytes_of("<"), 0);
  part.write(bytes_of(">"), last);
  part.finish();
}

/// How often writing a part waits for the disk.
int waits_for_disk(const rankpool::result_writer& file) {
  const int before = synced_parts;
  file.write(bytes_of("x"), 0);
  return synced_parts - before;
}

int error_of_writing(const rankpool::result_writer& file) {
  return error_of([&] { file.write(bytes_of("x"), 0); });
}

/// Writes all letters of a file of six parts.
std::vector<int> write_letters(rankpool::executor& pool, const rankpool::result_file& file, const std::string& marks,
                               const std::string& journal) {
  std::vector<int> written;
  auto results = pool.map({.chunksize = 1, .journal = journal}, rankpool::partial(write_letter, file.writer(), marks), numbers(6));
  for (auto at = results.begin(); at != results.end(); ++at) {
    try {
      written.push_back(*at);
    } catch (const std::runtime_error&) {
    }
  }
  return written;
}

// ---- items

/// Writes `text` into a file of its own, or fails.
rankpool::file_version write_item(const rankpool::item_target& to, const std::string& marks, const std::string& text) {
  leave_mark(marks + "/" + fs::path(to.path()).filename().string());
  rankpool::item_file file(to);
  file.write(text);
  if (contents(file.temporary_path()) != text) throw std::logic_error("it cannot be read again");
  if (fs::exists(to.path() + "-refused")) throw std::runtime_error("refused");
  return file.finish();
}

/// One run that writes items, text by text, into files of these names. Returns the error of each.
std::vector<std::string> write_items(file_runs& runs, const std::vector<std::string>& names, bool overwrite = false,
                                     const std::string& text = "text of ") {
  const rankpool::journal kept(runs.next_journal());
  rankpool::executor pool(cluster(), {.journal = kept});
  rankpool::result_files results(kept, {.overwrite = overwrite});
  std::vector<rankpool::item_target> targets;
  std::vector<rankpool::future<rankpool::file_version>> tasks;
  for (const std::string& name : names) {
    targets.push_back(results.target(runs.file(name), runs.file("input of " + name)));
    tasks.push_back(pool.submit(write_item, targets.back(), runs.marks(), text + name));
  }
  std::vector<std::string> errors(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    try {
      const auto named = [&error = errors[i]](std::error_code code) { error = code ? code.message() : ""; };
      while (!results.accept(targets[i], tasks[i].result(), named)) {
        tasks[i] = pool.submit(write_item, targets[i], runs.marks(), text + names[i]);
      }
    } catch (const std::runtime_error& error) {
      errors[i] = error.what();
    }
  }
  results.finish();
  return errors;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("tasks write parts of one file, which has its name when it is complete", "[files/parts]") {
  file_runs runs;
  rankpool::executor pool(cluster());
  rankpool::result_file file({}, runs.file("out"), 8);
  CHECK(fs::file_size(file.path()) == 8);
  CHECK(collect(pool.map(rankpool::partial(write_letter, file.writer(), runs.marks()), numbers(6))) == numbers(6));
  file.write(bytes_of("."), 6);
  CHECK(runs.names().size() == 1);
  CHECK(!fs::exists(runs.file("out")));
  pool.submit(write_both_ends, file.writer(), std::uint64_t{7}).result();
  CHECK(contents(file.path()) == "<bcdef.>");
  file.finish();
  CHECK(file.is_finished());
  CHECK(runs.names() == texts{"out"});
  CHECK(contents(file.path()) == "<bcdef.>");
  file.finish();  // nothing is left to do
  CHECK_THROWS_AS(file.writer(), std::logic_error);
  CHECK_THROWS_AS(file.write(bytes_of("x"), 0), std::logic_error);
}

TEST_CASE("without a journal nothing is left of a file that is not finished", "[files/parts]") {
  file_runs runs;
  {
    rankpool::result_file file({}, runs.file("out"), 1000);
    rankpool::result_file moved(std::move(file));
    CHECK(runs.names().size() == 1);
  }
  CHECK(runs.names().empty());
}

TEST_CASE("an empty file is a file", "[files/parts]") {
  file_runs runs;
  rankpool::result_file({}, runs.file("out"), 0).finish();
  CHECK(fs::file_size(runs.file("out")) == 0);
}

TEST_CASE("with a journal a part is on the disk before its task is finished, and without one no task waits", "[files/durable]") {
  file_runs runs;
  rankpool::executor pool(cluster());
  rankpool::result_file plain({}, runs.file("plain"), 1);
  CHECK(pool.submit(waits_for_disk, plain.writer()).result() == 0);
  rankpool::result_file kept(rankpool::journal(runs.next_journal()), runs.file("kept"), 1);
  CHECK(pool.submit(waits_for_disk, kept.writer()).result() == 1);
}

TEST_CASE("a later run writes the missing parts, and the one after it finds the file finished", "[files/resume]") {
  file_runs runs;
  rankpool::executor pool(cluster());
  leave_mark(runs.marks() + "/refused");
  {
    const std::string journal = runs.next_journal();
    const rankpool::result_file file(rankpool::journal(journal), runs.file("out"), 6);
    CHECK(write_letters(pool, file, runs.marks(), journal) == std::vector{0, 1, 2, 4, 5});
  }
  fs::remove(runs.marks() + "/refused");
  CHECK(runs.ran() == 6);
  CHECK(runs.names().size() == 1);
  CHECK(!fs::exists(runs.file("out")));
  {
    const std::string journal = runs.next_journal();
    rankpool::result_file file(rankpool::journal(journal), runs.file("out"), 6);
    REQUIRE(!file.is_finished());
    CHECK(write_letters(pool, file, runs.marks(), journal) == numbers(6));
    CHECK(runs.ran() == 1);
    file.finish();
    CHECK(runs.names() == texts{"out"});
  }
  const auto version = rankpool::file_version::of(runs.file("out"));
  const rankpool::result_file file(rankpool::journal(runs.next_journal()), runs.file("out"), 6);
  CHECK(file.is_finished());
  CHECK(contents(file.path()) == "abcdef");
  CHECK(rankpool::file_version::of(runs.file("out")) == version);
}

TEST_CASE("a run that is killed after the file is noted and before it is named finishes it later", "[files/resume]") {
  file_runs runs;
  const rankpool::journal kept(runs.next_journal());
  {
    rankpool::result_file file(kept, runs.file("out"), 1);
    file.write(bytes_of("x"), 0);
    rankpool::written_files(kept).add({{runs.file("out"), *rankpool::file_version::of(file.path())}});
  }
  rankpool::result_file file(kept, runs.file("out"), 1);
  REQUIRE(!file.is_finished());
  file.finish();
  CHECK(contents(runs.file("out")) == "x");
}

TEST_CASE("a file of intermediate parts is removed on request, also after a run that was killed", "[files/resume]") {
  file_runs runs;
  const rankpool::journal kept(runs.next_journal());
  rankpool::result_file::remove_unfinished(kept, runs.file("between"), "between");  // there is none yet
  { rankpool::result_file(kept, runs.file("between"), 2, {.name = "between"}); }
  CHECK(runs.names().size() == 1);
  rankpool::result_file::remove_unfinished(kept, runs.file("between"), "between");
  CHECK(runs.names().empty());
  rankpool::result_file(kept, runs.file("other"), 2, {.name = "other"}).discard();
  CHECK(runs.names().empty());
}

TEST_CASE("parts that are lost, or were written for another path or size, are refused", "[files/lost]") {
  file_runs runs;
  const rankpool::journal kept(runs.next_journal());
  std::string parts;
  {
    const rankpool::result_file file(kept, runs.file("out"), 2);
    parts = file.path();
  }
  CHECK_THROWS_WITH(rankpool::result_file(kept, runs.file("other"), 2),
                    containing("wrote parts of " + runs.file("out") + ", not of " + runs.file("other")));
  const std::string failed = "cannot continue " + parts + ", which has the parts of " + runs.file("out") + " and another size";
  CHECK_THROWS_WITH(rankpool::result_file(kept, runs.file("out"), 3), failed + ": Stale file handle; start a new journal");
  write_text(parts, "longer");
  CHECK_THROWS_WITH(rankpool::result_file(kept, runs.file("out"), 2), containing(failed));
  fs::remove(parts);
  const std::string lost = "cannot open " + parts + ", which has the parts of " + runs.file("out") +
                           ": No such file or directory; start a new journal, because the parts that earlier runs with the journal"
                           " wrote are lost";
  CHECK_THROWS_WITH(rankpool::result_file(kept, runs.file("out"), 2), lost);
  write_text(runs.file("out"), "xx");  // by somebody else
  CHECK_THROWS_WITH(rankpool::result_file(kept, runs.file("out"), 2, {.overwrite = true}), lost);
  CHECK(contents(runs.file("out")) == "xx");
}

TEST_CASE("a file that exists is replaced only if that is asked for", "[files/overwrite]") {
  file_runs runs;
  write_text(runs.file("out"), "old");
  for (const rankpool::journal& kept : {rankpool::journal(), rankpool::journal(runs.next_journal())}) {
    CHECK(error_of([&] { rankpool::result_file(kept, runs.file("out"), 1); }) == EEXIST);
    CHECK(runs.names() == texts{"out"});
  }
  rankpool::result_file file({}, runs.file("out"), 1, {.overwrite = true});
  file.write(bytes_of("n"), 0);
  CHECK(contents(runs.file("out")) == "old");
  file.finish();
  CHECK(contents(runs.file("out")) == "n");
}

TEST_CASE("a file or a FIFO that takes the name while the tasks run is kept", "[files/overwrite]") {
  file_runs runs;
  rankpool::result_file first({}, runs.file("first"), 1);
  write_text(runs.file("first"), "old");
  CHECK(error_of([&] { first.finish(); }) == EEXIST);
  rankpool::result_file second({}, runs.file("second"), 1, {.overwrite = true});
  REQUIRE(::mkfifo(runs.file("second").c_str(), 0600) == 0);
  CHECK(error_of([&] { second.finish(); }) == EEXIST);
  CHECK(contents(runs.file("first")) == "old");
  CHECK(fs::is_fifo(runs.file("second")));
  CHECK(runs.names() == texts{"first", "second"});
}

TEST_CASE("a file that a run with the journal wrote is replaced by a later one, unless somebody changed it", "[files/overwrite]") {
  file_runs runs;
  const std::string path = runs.file("out");
  for (const std::string text : {"first", "again"}) {
    rankpool::written_files written{rankpool::journal(runs.next_journal())};
    CHECK(!written.is_taken(path));
    rankpool::unfinished_file file(path);
    REQUIRE(::write(file.descriptor(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    file.finish(written);
    CHECK(contents(path) == text);
  }
  const rankpool::journal kept(runs.next_journal());
  rankpool::written_files written(kept);
  CHECK(written.contains(path));
  CHECK(!rankpool::written_files().contains(path));
  CHECK(rankpool::written_files().is_taken(path));
  fs::last_write_time(path, fs::last_write_time(path) - std::chrono::hours(1));
  CHECK(written.is_taken(path));
  CHECK(!written.is_taken(path, true));
  rankpool::unfinished_file file(path);
  CHECK(error_of([&] { file.finish(written); }) == EEXIST);
  CHECK(contents(path) == "again");
}

TEST_CASE("two objects with one journal note files in turn", "[files/overwrite]") {
  file_runs runs;
  const rankpool::journal kept(runs.next_journal());
  rankpool::written_files one(kept), other(kept);
  for (const char* name : {"a", "b", "c with spaces: and more"}) {
    write_text(runs.file(name), name);
    (name == std::string("b") ? other : one).add({{runs.file(name), *rankpool::file_version::of(runs.file(name))}});
  }
  for (const char* name : {"a", "b", "c with spaces: and more"}) {
    CHECK(one.contains(runs.file(name)));
    CHECK(other.contains(runs.file(name)));
    CHECK(rankpool::written_files(kept).contains(runs.file(name)));
  }
}

TEST_CASE("all paths of a file have one canonical path, whether the file exists or not", "[files/links]") {
  file_runs runs;
  fs::create_directory(runs.file("elsewhere"));
  fs::create_symlink("elsewhere/file", runs.file("link"));
  const std::string path = fs::canonical(runs.file("elsewhere")).string() + "/file";
  for (const bool exists : {false, true}) {
    if (exists) write_text(path, "text");
    for (const char* name : {"link", "elsewhere/file", "elsewhere/../link", "./elsewhere/./file"}) {
      CHECK(rankpool::canonical_path(runs.file(name)) == path);
      CHECK(rankpool::canonical_path(fs::path(runs.file(name)).lexically_relative(fs::current_path()).string()) == path);
    }
  }
  CHECK(rankpool::canonical_path("").empty());
  fs::create_symlink("circle", runs.file("circle"));
  CHECK(rankpool::canonical_path(runs.file("circle")) == runs.file("circle"));
}

TEST_CASE("a symbolic link stays one, and the file that it leads to is written", "[files/links]") {
  file_runs runs;
  fs::create_directory(runs.file("elsewhere"));
  fs::create_symlink("elsewhere/file", runs.file("second"));
  fs::create_symlink(runs.file("second"), runs.file("link"));
  const rankpool::journal kept(runs.next_journal());
  rankpool::result_file plain({}, runs.file("link"), 1);
  plain.write(bytes_of("1"), 0);
  plain.finish();
  CHECK(contents(runs.file("elsewhere/file")) == "1");
  rankpool::result_file resumable(kept, runs.file("link"), 1, {.overwrite = true});
  resumable.write(bytes_of("2"), 0);
  resumable.finish();
  CHECK(contents(runs.file("elsewhere/file")) == "2");
  CHECK(rankpool::result_file(kept, runs.file("elsewhere/../second"), 1).is_finished());  // another path of the same file
  CHECK(fs::is_symlink(runs.file("link")));
  CHECK(fs::is_symlink(runs.file("second")));
  CHECK(runs.names() == texts{"elsewhere", "link", "second"});
}

TEST_CASE("a file that cannot be written fails its task alone, with its number and its name", "[files/errors][fault]") {
  file_runs runs;
  rankpool::executor pool(cluster());
  rankpool::result_writer nowhere;
  {
    const rankpool::result_file gone({}, runs.file("gone"), 1);
    nowhere = gone.writer();
  }
  CHECK(pool.submit(error_of_writing, nowhere).result() == ENOENT);
  try {
    pool.submit(write_letter, nowhere, runs.marks(), 0).result();
    FAIL("it was written");
  } catch (const std::system_error& error) {
    CHECK(error.code().value() == ENOENT);
    CHECK_THAT(error.what(), containing("cannot write " + runs.file("gone.part-")));
    CHECK(rankpool::remote_context(error) != nullptr);
  }
  CHECK(error_of([&] { rankpool::result_file({}, runs.file("no/folder/out"), 1); }) == ENOENT);
  check_computes(pool);
}

TEST_CASE("an error that appears when a part is closed is thrown, and the part is not closed again", "[files/errors]") {
  file_runs runs;
  const rankpool::result_file file({}, runs.file("out"), 1);
  rankpool::result_part part(file.writer());
  REQUIRE(::close(part.descriptor()) == 0);
  CHECK(error_of([&] { part.finish(); }) == EBADF);
  const int other = ::open("/dev/null", O_RDONLY | O_CLOEXEC);  // may get the same descriptor
  CHECK(error_of([&] { part.finish(); }) == EBADF);
  CHECK(::close(other) == 0);
}

TEST_CASE("each task writes a file of its own, and a later run leaves it as it is", "[files/items]") {
  file_runs runs;
  for (const int tasks : {2, 0}) {
    CHECK(write_items(runs, {"a", "b"}) == texts{"", ""});
    CHECK(runs.ran() == tasks);
    CHECK(runs.names() == texts{"a", "b"});
    CHECK(contents(runs.file("b")) == "text of b");
  }
}

TEST_CASE("without a journal tasks name their files themselves", "[files/items]") {
  file_runs runs;
  rankpool::executor pool(cluster());
  const auto write = [&](bool overwrite) {
    rankpool::result_files results({}, {.overwrite = overwrite});
    const rankpool::item_target to = results.target(runs.file("a"));
    const auto version = pool.submit(write_item, to, runs.marks(), std::string("new")).result();
    CHECK(version == rankpool::file_version::of(runs.file("a")));
    CHECK(results.accept(to, version));
    results.finish();
  };
  write(false);
  CHECK(error_of([&] { write(false); }) == EEXIST);
  write(true);
  CHECK(runs.names() == texts{"a"});
}

TEST_CASE("a task that fails leaves no file, and a later run runs it again", "[files/items]") {
  file_runs runs;
  leave_mark(runs.file("b-refused"));
  CHECK(write_items(runs, {"a", "b", "c"}) == texts{"", "refused", ""});
  fs::remove(runs.file("b-refused"));
  CHECK(runs.names() == texts{"a", "c"});
  CHECK(runs.ran() == 3);
  CHECK(write_items(runs, {"a", "b", "c"}) == texts{"", "", ""});
  CHECK(runs.ran() == 1);
  CHECK(runs.names() == texts{"a", "b", "c"});
}

TEST_CASE("a task whose input was modified is another one, and replaces the file of the former", "[files/items]") {
  file_runs runs;
  write_text(runs.file("input of a"), "1");
  CHECK(write_items(runs, {"a"}) == texts{""});
  write_text(runs.file("input of a"), "22");
  CHECK(write_items(runs, {"a"}) == texts{""});
  CHECK(runs.ran() == 1);
  const std::string newer = runs.file("input of a");
  write_text(newer, "1");
  CHECK(write_items(runs, {"a"}, false, "another text of ") == texts{""});
  CHECK(contents(runs.file("a")) == "another text of a");
  CHECK(write_items(runs, {"a"}) == texts{""});  // the journal has this task, but not its file
  CHECK(contents(runs.file("a")) == "text of a");
}

TEST_CASE("a file that was removed or edited is not taken for done", "[files/items-lost]") {
  file_runs runs;
  CHECK(write_items(runs, {"a", "b", "c"}) == texts{"", "", ""});
  CHECK(runs.ran() == 3);
  for (int repetitions = 0; repetitions < 2; ++repetitions) {
    fs::remove(runs.file("a"));
    CHECK(write_items(runs, {"a", "b", "c"}) == texts{"", "", ""});
    CHECK(runs.ran() == 1);
    CHECK(contents(runs.file("a")) == "text of a");
  }
  write_text(runs.file("b"), "precious");
  CHECK(write_items(runs, {"a", "b", "c"}) == texts{"", "File exists", ""});
  CHECK(contents(runs.file("b")) == "precious");
  CHECK(write_items(runs, {"a", "b", "c"}, true) == texts{"", "", ""});
  CHECK(contents(runs.file("b")) == "text of b");
  runs.ran();
  CHECK(write_items(runs, {"a", "b", "c"}) == texts{"", "", ""});
  CHECK(runs.ran() == 0);
}

TEST_CASE("the tasks of a map write files as well, and a task whose file is gone is submitted by itself", "[files/items-lost]") {
  file_runs runs;
  const texts names{"a", "b", "c"};
  for (const int tasks : {3, 1, 0}) {
    const rankpool::journal kept(runs.next_journal());
    rankpool::executor pool(cluster(), {.journal = kept});
    rankpool::result_files results(kept);
    std::vector<rankpool::item_target> targets;
    for (const std::string& name : names) targets.push_back(results.target(runs.file(name)));
    std::size_t i = 0;
    for (const auto& version : pool.map(write_item, targets, std::vector(names.size(), runs.marks()), names)) {
      rankpool::file_version written = version;
      while (!results.accept(targets[i], written)) written = pool.submit(write_item, targets[i], runs.marks(), names[i]).result();
      ++i;
    }
    results.finish();
    CHECK(runs.ran() == tasks);
    CHECK(runs.names() == names);
    if (tasks == 3) fs::remove(runs.file("b"));
  }
}

TEST_CASE("files of a run that ended before they were named get their names in the next one", "[files/items-lost]") {
  file_runs runs;
  {
    const rankpool::journal kept(runs.next_journal());
    rankpool::executor pool(cluster(), {.journal = kept});
    rankpool::result_files results(kept);
    const rankpool::item_target to = results.target(runs.file("a"), runs.file("input of a"));
    CHECK(results.accept(to, pool.submit(write_item, to, runs.marks(), std::string("text of a")).result()));
  }
  CHECK(!fs::exists(runs.file("a")));
  CHECK(runs.names().size() == 1);
  leave_mark(runs.file(runs.names().front() + ".part-12345"));  // of a task that was killed
  CHECK(write_items(runs, {"a"}) == texts{""});
  CHECK(runs.names() == texts{"a"});
  CHECK(runs.ran() == 1);
}

TEST_CASE("a file that is removed or edited before it is named, or whose name is taken, is reported", "[files/items-lost]") {
  file_runs runs;
  const rankpool::journal kept(runs.next_journal());
  rankpool::executor pool(cluster(), {.journal = kept});
  rankpool::result_files results(kept);
  const auto written = [&](const std::string& name) {
    const rankpool::item_target to = results.target(runs.file(name));
    const auto version = pool.submit(write_item, to, runs.marks(), std::string("text")).result();
    return std::pair(to, version);
  };
  const auto [taken, version] = written("taken");
  CHECK(!results.is_taken(taken));
  write_text(runs.file("taken"), "precious");
  CHECK(results.is_taken(taken));
  int error = 0;
  CHECK(results.accept(taken, version, [&error](std::error_code code) { error = code.value(); }));
  results.finish();
  CHECK(error == EEXIST);
  CHECK(contents(runs.file("taken")) == "precious");
  CHECK(results.accept(taken, version));  // without a function
  CHECK_THROWS_WITH(results.finish(), containing("cannot write " + runs.file("taken")));
  CHECK_NOTHROW(results.finish());
  const auto [gone, version_of_gone] = written("gone");
  for (const std::string& name : runs.names()) {
    if (name.starts_with("gone")) fs::remove(runs.file(name));
  }
  CHECK(!results.accept(gone, version_of_gone));
}
