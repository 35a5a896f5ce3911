// Tests the farm of the job `exec` on a pool.
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>

#include "exec/command_source.hpp"
#include "exec/farm.hpp"
#include "pipes.hpp"
#include "support/catch.hpp"
#include "support/cluster.hpp"
#include "support/scratch_directory.hpp"

namespace {

struct told {
  std::map<std::uint64_t, std::string> out;
  std::map<std::uint64_t, int> tries;
  int failed = 0;
  bool all_run = false;
};

told run_lines(const std::string& text, const jobs::farm_options& options = {}) {
  const written_pipe input(text);
  jobs::line_source source(input.get(), "input", jobs::command_template());
  told all;
  const auto take = [&](const jobs::command& what, jobs::command_outcome&& outcome, int tries) {
    all.out[what.sequence] = outcome.out;
    all.tries[what.sequence] = tries;
    all.failed += outcome.failed() ? 1 : 0;
    return what.sequence + 1;
  };
  all.all_run = jobs::run_farm(support::cluster(), {}, source, options, {.on_done = take});
  return all;
}

}  // namespace

TEST_CASE("a farm runs every command once and reports each of them") {
  std::string lines;
  for (int i = 1; i <= 600; ++i) lines += "echo " + std::to_string(i) + "\n";
  const told all = run_lines(lines);
  REQUIRE(all.out.size() == 600);
  for (const auto& [sequence, out] : all.out) CHECK(out == std::to_string(sequence) + "\n");
  CHECK(all.failed == 0);
}

TEST_CASE("only a failed command is retried, at most as often as requested") {
  const support::scratch_directory folder;
  const std::string file = folder.file("n");
  // This command fails until the file has three lines.
  const told all = run_lines("true\necho x >> " + file + "; test $(wc -l < " + file + ") = 3\nfalse\n", {.tries = 4});
  CHECK(all.tries == std::map<std::uint64_t, int>{{1, 1}, {2, 3}, {3, 4}});
  CHECK(all.failed == 1);
}

TEST_CASE("a farm with a limit of failures starts no command after it, and the pool remains usable") {
  std::string lines = "false\n";
  for (int i = 0; i < 3000; ++i) lines += "sleep 0.02\n";
  {
    const told all = run_lines(lines, {.max_failures = 1});
    CHECK(all.failed == 1);
    CHECK(all.out.size() < 1000);
    CHECK_FALSE(all.all_run);
  }
  CHECK(run_lines("echo again\n", {.max_failures = 1}).out[1] == "again\n");
}

TEST_CASE("a command counts as failed after its last try") {
  const support::scratch_directory folder;
  const std::string file = folder.file("n");
  const told all = run_lines("echo x >> " + file + "; test $(wc -l < " + file + ") = 3\n", {.tries = 3, .max_failures = 1});
  CHECK(all.tries == std::map<std::uint64_t, int>{{1, 3}});
  CHECK(all.failed == 0);
  const told failing = run_lines("false\n", {.tries = 3, .max_failures = 1});
  CHECK(failing.tries == std::map<std::uint64_t, int>{{1, 3}});
  CHECK(failing.failed == 1);
}

TEST_CASE("a farm stops exactly at its limit of failures") {
  const told some = run_lines("false\ntrue\nfalse\ntrue\n", {.max_failures = 3});
  CHECK(some.failed == 2);
  CHECK(some.out.size() == 4);
  CHECK(some.all_run);
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += "false\n";
  const told many = run_lines(lines, {.max_failures = 5});
  CHECK(many.failed >= 5);
  CHECK(many.failed < 2000);
  CHECK_FALSE(many.all_run);
  CHECK(run_lines("false\n", {.max_failures = 1}).all_run);  // the failed command was the last one
}

TEST_CASE("with a delay every command is run, failed ones are retried, and starts have the given distance") {
  const auto begin = std::chrono::steady_clock::now();
  const told all = run_lines("echo 1\nfalse\necho 3\necho 4\n", {.tries = 3, .delay_seconds = 0.05});
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(5 * 50));  // the delay applies between six starts
  CHECK(all.tries == std::map<std::uint64_t, int>{{1, 1}, {2, 3}, {3, 1}, {4, 1}});
  CHECK(all.out.at(4) == "4\n");
  CHECK(all.failed == 1);
  CHECK(all.all_run);
}

TEST_CASE("with a delay a farm at its limit of failures starts no command, and reports commands that waited for a retry") {
  const told all = run_lines("false\nfalse\nfalse\nsleep 0.01\n", {.tries = 2, .max_failures = 1, .delay_seconds = 0.01});
  CHECK(all.failed >= 1);
  for (const auto& [sequence, tries] : all.tries) CHECK(tries <= 2);
}

TEST_CASE("finished commands are reported while the farm waits for input") {
  open_pipe input("echo 1\n");
  jobs::line_source source(input.get(), "input", jobs::command_template());
  int done = 0;
  jobs::run_farm(support::cluster(), {}, source, {}, {.on_done = [&](const jobs::command& what, jobs::command_outcome&&, int) {
                   if (++done == 1) {
                     input.write("echo 2\n");
                   } else {
                     input.end();
                   }
                   return what.sequence + 1;
                 }});
  CHECK(done == 2);
}

TEST_CASE("a slow command does not block the input for ever") {
  open_pipe input("true\ntrue\ntrue\ntrue\n");
  jobs::line_source source(input.get(), "input", jobs::command_template());
  std::uint64_t done = 0;
  jobs::run_farm(support::cluster(), {}, source, {.most_ahead = 2},
                 {.on_done = [&](const jobs::command&, jobs::command_outcome&&, int) -> std::uint64_t {
                   if (++done != 4) return done + 2;
                   input.write("true\ntrue\ntrue\n");
                   input.end();
                   return 2;  // simulates a first command that finishes last
                 }});
  CHECK(done == 7);
}

TEST_CASE("an exception in a callback stops the farm, also while it waits for input, and leaves the pool usable") {
  open_pipe input("echo 1\n");
  {
    jobs::line_source source(input.get(), "input", jobs::command_template());
    const auto fail = [](const jobs::command&, jobs::command_outcome&&, int) -> std::uint64_t {
      throw std::runtime_error("no room");
    };
    CHECK_THROWS_WITH(jobs::run_farm(support::cluster(), {}, source, {}, {.on_done = fail}), "no room");
  }
  CHECK(run_lines("echo again\n").out[1] == "again\n");
}
