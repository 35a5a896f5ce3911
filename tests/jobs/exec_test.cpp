// What the job `exec` is made of: templates, sources, processes, order, and the farm itself.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "exec/command.hpp"
#include "exec/command_source.hpp"
#include "exec/command_template.hpp"
#include "exec/environment.hpp"
#include "exec/farm.hpp"
#include "exec/ordered_output.hpp"
#include "exec/process.hpp"
#include "exec/records.hpp"
#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/command.hpp"
#include "support/output.hpp"

namespace {

using words = std::vector<std::string>;

words filled(const words& form, const words& arguments) { return jobs::command_template(form).fill(arguments, 7).words; }

// A pipe that holds `text` and ends there.
class written_pipe {
 public:
  explicit written_pipe(const std::string& text) {
    REQUIRE(::pipe(ends_.data()) == 0);
    writer_ = std::thread([this, text] {
      for (std::size_t at = 0; at < text.size();)
        at += static_cast<std::size_t>(::write(ends_[1], text.data() + at, text.size() - at));
      ::close(ends_[1]);
    });
  }
  ~written_pipe() {
    writer_.join();
    ::close(ends_[0]);
  }
  int get() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
  std::thread writer_;
};

words lines_of(const std::string& text, const words& form = {}, char separator = '\n') {
  const written_pipe input(text);
  jobs::line_source source(input.get(), "input", jobs::command_template(form), separator);
  words found;
  while (const auto next = source.next()) found.push_back(jobs::command_text(*next));
  return found;
}

jobs::command_outcome outcome_of(const std::string& line, double timeout = 0) {
  return jobs::run_command({timeout, 0, true}, {1, {line}, true});
}

double seconds_of(auto&& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

// The expected values are what GNU parallel 20221122 prints.
TEST_CASE("places for an argument are what GNU parallel fills them with") {
  const words form{"{.}", "{/}", "{//}", "{/.}"};
  const std::vector<std::pair<std::string, words>> known{
      {"a.b", {"a", "a.b", ".", "a"}},
      {"d/e.f.g", {"d/e.f", "e.f.g", "d", "e.f"}},
      {"d.x/e", {"d.x/e", "e", "d.x", "e"}},
      {"/abs/", {"/abs/", "", "/", ""}},
      {"a.", {"a", "a.", ".", "a"}},
      {".hid", {"", ".hid", ".", ""}},
      {"d/.hid", {"d/", ".hid", "d", ""}},
      {"sp ace.t x", {"sp ace", "sp ace.t x", ".", "sp ace"}},
      {"", {"", "", ".", ""}},
      {"/", {"/", "", "/", ""}},
  };
  for (const auto& [argument, expected] : known) CHECK(filled(form, {argument}) == expected);
}

TEST_CASE("arguments stay whole, go to the end where no place is, and several fill a word apart or one together") {
  CHECK(filled({"echo", "x{}y{#}"}, {"a b'$(c)"}) == words{"echo", "xa b'$(c)y7"});
  CHECK(filled({"echo"}, {"a b"}) == words{"echo", "a b"});
  CHECK(filled({"echo", "{#}"}, {"a"}) == words{"echo", "7"});
  CHECK(filled({"printf", "{}"}, {"a b", "c"}) == words{"printf", "a b", "c"});
  CHECK(filled({"echo", "p{}q"}, {"a b", "c"}) == words{"echo", "pa b cq"});
  CHECK(filled({"echo", "{2}-{1.}-{-1/}-{9}"}, {"a.b", "c/d"}) == words{"echo", "c/d-a-d-"});
  CHECK(filled({"awk", "{print $1}", "{", "{0}", "{x}", "{}"}, {"f"}) == words{"awk", "{print $1}", "{", "{0}", "{x}", "f"});
}

TEST_CASE("a place of a list that is not there is found") {
  CHECK(jobs::command_template({"a{1}", "b{2/.}{-2}{#}"}).place_beyond(2).empty());
  CHECK(jobs::command_template({"a{1}", "b{2/.}{3}"}).place_beyond(2) == "{3}");
  CHECK(jobs::command_template({"a{-2.}"}).place_beyond(1) == "{-2.}");
  CHECK(jobs::command_template({"awk", "{print $2}"}).place_beyond(1).empty());
}

TEST_CASE("a template of one word that reads like shell is given to a shell with its arguments quoted") {
  const jobs::command c = jobs::command_template({"wc -l < {} | tr -d x"}).fill(words{"it's $HOME"}, 1);
  CHECK(c.by_shell);
  CHECK(c.words == words{R"(wc -l < 'it'\''s $HOME' | tr -d x)"});
  CHECK(jobs::command_template({"echo a;"}).fill(words{"b"}, 1).words == words{"echo a; b"});
}

TEST_CASE("a shell reads a quoted word as it was") {
  for (const std::string text : {"", " ", "it's", "a\"b", "$HOME `id` \\", "new\nline", "*", "~", "naïve ☃", "#x", "-n", "a=b"}) {
    CHECK(outcome_of("printf %s " + jobs::shell_quoted(text)).out == text);
  }
}

TEST_CASE("lines come without blank ones, comments and their ends") {
  CHECK(lines_of("a\n\n  # no\r\n \t\nb c\r\n#\nlast") == words{"a", "b c", "last"});
  CHECK(lines_of("").empty());
  CHECK(lines_of("\n\n").empty());
  CHECK(lines_of("\xef\xbb\xbf"
                 "a\n") == words{"a"});
  CHECK(lines_of("#a\n\n b \n", {"echo"}) == words{"echo '#a'", "echo ' b '"});
  CHECK(lines_of(std::string("a\nb\0c", 5), {"echo"}, '\0') == words{"echo 'a\nb'", "echo c"});
}

TEST_CASE("a line longer than a block is one line, and one that no command can be is refused") {
  const std::string long_line(300'000, 'x');
  CHECK(lines_of(long_line + "\nb\n") == words{long_line, "b"});
  CHECK_THROWS_AS(lines_of(std::string(jobs::line_source::longest_line_bytes + 100'000, 'x')), jobs::usage_error);
}

TEST_CASE("a source that waits for input can be stopped") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  jobs::line_source source(ends[0], "input", jobs::command_template());
  std::thread stopper([&] { source.stop(); });
  CHECK_FALSE(source.next());
  stopper.join();
  for (const int end : ends) ::close(end);
}

TEST_CASE("lists give all choices, the last one fastest") {
  jobs::product_source source({{"a", "b"}, {"x", "y"}}, jobs::command_template({"e"}));
  CHECK(source.size() == 4);
  words found;
  while (const auto next = source.next()) found.push_back(std::to_string(next->sequence) + jobs::command_text(*next));
  CHECK(found == words{"1e a x", "2e a y", "3e b x", "4e b y"});
  CHECK_FALSE(jobs::product_source({{"a"}, {}}, jobs::command_template({"e"})).next());
}

TEST_CASE("only lines that a shell would merely split are run without one") {
  CHECK(jobs::plain_words(" gzip\t-9  a.txt ") == words{"gzip", "-9", "a.txt"});
  for (const std::string line :
       {"echo a", "exit 3", "cd /", ". x", "a=1 b", "ls *", "a|b", "~/x", "if x", "ls 'a'", "a;b", "", " ", "naïve"}) {
    CHECK(jobs::plain_words(line).empty());
  }
}

TEST_CASE("a command's end is told as a shell tells it") {
  CHECK(outcome_of("exit 3").status == 3);
  CHECK(outcome_of("true").status == 0);
  CHECK(outcome_of("false").status == 1);
  CHECK(outcome_of("kill -9 $$").signal == 9);
  CHECK(outcome_of("no-such-program x").status == 127);
  CHECK(outcome_of("/etc/passwd").status == 126);
  CHECK(jobs::run_command({}, {1, {"no-such-program"}, false}).status == 127);
  CHECK(jobs::run_command({}, {1, {"/etc/passwd"}, false}).status == 126);
  CHECK(jobs::run_command({}, {1, {"/"}, false}).err == "rankpool exec: /: Permission denied\n");
  CHECK(jobs::run_command({}, {1, {std::string("a\0b", 3)}, false}).status == 126);
  CHECK(jobs::run_command({}, {3, {"a", std::string("a\0b", 3)}, false}).err ==
        "rankpool exec: command 3 cannot be started: it holds a NUL byte, which no command can\n");
  CHECK(outcome_of(std::string("true \0b", 7)).err.find("NUL byte") != std::string::npos);
  CHECK(outcome_of("true " + std::string(300'000, 'x')).status == 126);  // more than the system takes
}

TEST_CASE("what a command prints arrives whole, both streams apart") {
  const auto both = outcome_of("printf out; printf err >&2");
  CHECK(both.out == "out");
  CHECK(both.err == "err");
  CHECK(outcome_of("head -c 3000000 /dev/zero").out == std::string(3'000'000, '\0'));
  CHECK(outcome_of("yes | head -c 500000 >&2; yes n | head -c 500000").err.size() == 500'000);
}

TEST_CASE("a command's stdin is empty, and it has no other descriptors of the worker") {
  CHECK(outcome_of("cat").out.empty());
  CHECK(outcome_of("readlink /proc/self/fd/0").out == "/dev/null\n");
  const int leaking = ::open("/dev/null", O_RDONLY);                                        // without O_CLOEXEC, as MPI's may be
  CHECK(jobs::run_command({}, {1, {"ls", "/proc/self/fd"}, false}).out == "0\n1\n2\n3\n");  // 3: the folder itself
  ::close(leaking);
}

TEST_CASE("variables of the launcher stay behind") {
  CHECK(jobs::is_of_launcher("OMPI_COMM_WORLD_RANK=1"));
  CHECK(jobs::is_of_launcher("PMIX_RANK=1"));
  CHECK(jobs::is_of_launcher("PRTE_X=1"));
  CHECK(jobs::is_of_launcher("RANKPOOL_INSIDE=1:x"));
  CHECK_FALSE(jobs::is_of_launcher("OMPI_ALLOW_RUN_AS_ROOT=1"));
  CHECK_FALSE(jobs::is_of_launcher("PATH=/bin"));
  CHECK_FALSE(jobs::is_of_launcher("SLURM_JOB_ID=1"));
  CHECK(outcome_of("env | grep -c -e ^OMPI_COMM -e ^PMIX_ -e ^OMPI_MCA_").out == "0\n");
}

TEST_CASE("children that hold the pipe do not hold up the command") {
  jobs::command_outcome outcome;
  const double seconds = seconds_of([&] { outcome = outcome_of("printf done; sleep 20 & echo $! >&2"); });
  CHECK(outcome.out == "done");
  CHECK(seconds < 10);
  const pid_t child = std::stoi(outcome.err);
  CHECK(::kill(child, SIGKILL) == 0);  // and they live on
}

TEST_CASE("after its time a command is ended with all it has started") {
  for (const std::string line :
       {"sleep 20 & echo $!; wait", "trap '' TERM; sleep 20 & echo $!; wait; wait; sleep 20", "echo $$; kill -STOP $$"}) {
    jobs::command_outcome outcome;
    const double seconds = seconds_of([&] { outcome = outcome_of(line, 0.2); });
    CHECK(outcome.timed_out);
    CHECK(outcome.failed());
    CHECK(outcome.err.find("was ended after 0.2 s") != std::string::npos);
    CHECK(seconds < 10);
    const std::string state = "/proc/" + outcome.out.substr(0, outcome.out.find('\n')) + "/stat";
    for (int i = 0; i < 1000; ++i) {  // init may yet have to wait for it
      std::ifstream stat(state);
      std::string pid, name, letter;
      if (!(stat >> pid >> name >> letter) || letter == "Z") break;
      REQUIRE(i < 999);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  CHECK_FALSE(outcome_of("exit 0", 20).failed());
}

TEST_CASE("output comes in order again, from memory as from a file") {
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

/// Of files that this process has open and that have no name any more.
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

TEST_CASE("what waited on disk leaves it when it has been printed, also while more comes") {
  std::uint64_t printed = 0;
  jobs::ordered_output ordered([&](const jobs::printed& p) { printed += p.out.size(); }, 0, 10'000);
  const std::uint64_t before = bytes_without_name();
  std::uint64_t most = 0;
  ordered.add(2, {std::string(1000, 'x'), "", ""});
  for (std::uint64_t n = 1; n < 401; n += 2) {  // one waits always
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

TEST_CASE("output that cannot be kept until its turn is an error of output that says what to do") {
  const std::string before = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "";
  ::setenv("TMPDIR", "/proc/no", 1);
  jobs::ordered_output ordered([](const jobs::printed&) {}, 0);
  CHECK_THROWS_AS(ordered.add(2, {"x", "", ""}), jobs::output_error);
  before.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before.c_str(), 1);
}

TEST_CASE("records hold a command on one line") {
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

namespace {

struct told {
  std::map<std::uint64_t, std::string> out;
  std::map<std::uint64_t, int> tries;
  int failed = 0;
};

told run_lines(rankpool::executor& pool, const std::string& text, const jobs::farm_options& options = {}) {
  const written_pipe input(text);
  jobs::line_source source(input.get(), "input", jobs::command_template());
  told all;
  jobs::run_farm(pool, source, options,
                 {.on_done =
                      [&](const jobs::command& what, jobs::command_outcome&& outcome, int tries) {
                        all.out[what.sequence] = outcome.out;
                        all.tries[what.sequence] = tries;
                        all.failed += outcome.failed() ? 1 : 0;
                        return what.sequence + 1;
                      },
                  .on_idle = [] {},
                  .on_known = [](std::uint64_t) {}});
  return all;
}

}  // namespace

TEST_CASE("a farm runs every command once and tells of each") {
  rankpool::executor pool(support::cluster());
  std::string lines;
  for (int i = 1; i <= 600; ++i) lines += "echo " + std::to_string(i) + "\n";
  const told all = run_lines(pool, lines);
  REQUIRE(all.out.size() == 600);
  for (const auto& [sequence, out] : all.out) CHECK(out == std::to_string(sequence) + "\n");
  CHECK(all.failed == 0);
}

TEST_CASE("a command that fails is run again as often as was asked, and no other is") {
  rankpool::executor pool(support::cluster());
  std::string folder = "/tmp/rankpool-exec-test-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  // Fails until there are three lines in the file.
  const told all = run_lines(pool, "true\necho x >> " + folder + "/n; test $(wc -l < " + folder + "/n) = 3\nfalse\n", {.tries = 4});
  CHECK(all.tries == std::map<std::uint64_t, int>{{1, 1}, {2, 3}, {3, 4}});
  CHECK(all.failed == 1);
  (void)!::system(("rm -r " + folder).c_str());
}

TEST_CASE("after a failure a farm that is to halt starts no more, and the pool computes again") {
  std::string lines = "false\n";
  for (int i = 0; i < 3000; ++i) lines += "sleep 0.02\n";
  {
    rankpool::executor pool(support::cluster());
    const told all = run_lines(pool, lines, {.halt_on_error = true});
    CHECK(all.failed == 1);
    CHECK(all.out.size() < 1000);
  }
  rankpool::executor pool(support::cluster());
  CHECK(run_lines(pool, "echo again\n", {.halt_on_error = true}).out[1] == "again\n");
}

TEST_CASE("what is done is told while the input has nothing more to give") {
  rankpool::executor pool(support::cluster());
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "echo 1\n", 7) == 7);
  jobs::line_source source(ends[0], "input", jobs::command_template());
  int done = 0;
  jobs::run_farm(pool, source, {},
                 {.on_done =
                      [&](const jobs::command& what, jobs::command_outcome&&, int) {
                        if (++done == 1) {
                          CHECK(::write(ends[1], "echo 2\n", 7) == 7);
                        } else {
                          ::close(ends[1]);
                        }
                        return what.sequence + 1;
                      },
                  .on_idle = [] {},
                  .on_known = [](std::uint64_t) {}});
  CHECK(done == 2);
  ::close(ends[0]);
}

TEST_CASE("a command that ends long after those behind it does not hold up the input for good") {
  rankpool::executor pool(support::cluster());
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "true\ntrue\ntrue\ntrue\n", 20) == 20);
  jobs::line_source source(ends[0], "input", jobs::command_template());
  std::uint64_t done = 0;
  jobs::run_farm(pool, source, {.most_ahead = 2},
                 {.on_done = [&](const jobs::command&, jobs::command_outcome&&, int) -> std::uint64_t {
                    if (++done != 4) return done + 2;
                    CHECK(::write(ends[1], "true\ntrue\ntrue\n", 15) == 15);
                    ::close(ends[1]);
                    return 2;  // as when the first command is the last to end
                  },
                  .on_idle = [] {},
                  .on_known = [](std::uint64_t) {}});
  CHECK(done == 7);
  ::close(ends[0]);
}

TEST_CASE("an error while telling ends the farm, input that waits included, and the pool computes again") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  REQUIRE(::write(ends[1], "echo 1\n", 7) == 7);
  {
    rankpool::executor pool(support::cluster());
    jobs::line_source source(ends[0], "input", jobs::command_template());
    const auto fail = [](const jobs::command&, jobs::command_outcome&&, int) -> std::uint64_t {
      throw std::runtime_error("no room");
    };
    CHECK_THROWS_WITH(jobs::run_farm(pool, source, {}, {.on_done = fail, .on_idle = [] {}, .on_known = [](std::uint64_t) {}}),
                      "no room");
  }
  for (const int end : ends) ::close(end);
  rankpool::executor pool(support::cluster());
  CHECK(run_lines(pool, "echo again\n").out[1] == "again\n");
}
