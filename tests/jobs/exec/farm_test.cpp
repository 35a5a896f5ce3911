// The farm of the job `exec`, on the pool.
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
};

told run_lines(rankpool::executor& pool, const std::string& text, const jobs::farm_options& options = {}) {
  const written_pipe input(text);
  jobs::line_source source(input.get(), "input", jobs::command_template());
  told all;
  jobs::run_farm(pool, source, options, {.on_done = [&](const jobs::command& what, jobs::command_outcome&& outcome, int tries) {
                   all.out[what.sequence] = outcome.out;
                   all.tries[what.sequence] = tries;
                   all.failed += outcome.failed() ? 1 : 0;
                   return what.sequence + 1;
                 }});
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
  const support::scratch_directory folder;
  const std::string file = folder.file("n");
  // Fails until there are three lines in the file.
  const told all = run_lines(pool, "true\necho x >> " + file + "; test $(wc -l < " + file + ") = 3\nfalse\n", {.tries = 4});
  CHECK(all.tries == std::map<std::uint64_t, int>{{1, 1}, {2, 3}, {3, 4}});
  CHECK(all.failed == 1);
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

TEST_CASE("a farm that is to halt does so after the last try, not before") {
  rankpool::executor pool(support::cluster());
  const support::scratch_directory folder;
  const std::string file = folder.file("n");
  const told all =
      run_lines(pool, "echo x >> " + file + "; test $(wc -l < " + file + ") = 3\n", {.tries = 3, .halt_on_error = true});
  CHECK(all.tries == std::map<std::uint64_t, int>{{1, 3}});
  CHECK(all.failed == 0);
  const told failing = run_lines(pool, "false\n", {.tries = 3, .halt_on_error = true});
  CHECK(failing.tries == std::map<std::uint64_t, int>{{1, 3}});
  CHECK(failing.failed == 1);
}

TEST_CASE("what is done is told while the input has nothing more to give") {
  rankpool::executor pool(support::cluster());
  open_pipe input("echo 1\n");
  jobs::line_source source(input.get(), "input", jobs::command_template());
  int done = 0;
  jobs::run_farm(pool, source, {}, {.on_done = [&](const jobs::command& what, jobs::command_outcome&&, int) {
                   if (++done == 1) {
                     input.write("echo 2\n");
                   } else {
                     input.end();
                   }
                   return what.sequence + 1;
                 }});
  CHECK(done == 2);
}

TEST_CASE("a command that ends long after those behind it does not hold up the input for good") {
  rankpool::executor pool(support::cluster());
  open_pipe input("true\ntrue\ntrue\ntrue\n");
  jobs::line_source source(input.get(), "input", jobs::command_template());
  std::uint64_t done = 0;
  jobs::run_farm(pool, source, {.most_ahead = 2},
                 {.on_done = [&](const jobs::command&, jobs::command_outcome&&, int) -> std::uint64_t {
                   if (++done != 4) return done + 2;
                   input.write("true\ntrue\ntrue\n");
                   input.end();
                   return 2;  // as when the first command is the last to end
                 }});
  CHECK(done == 7);
}

TEST_CASE("an error while telling ends the farm, input that waits included, and the pool computes again") {
  open_pipe input("echo 1\n");
  {
    rankpool::executor pool(support::cluster());
    jobs::line_source source(input.get(), "input", jobs::command_template());
    const auto fail = [](const jobs::command&, jobs::command_outcome&&, int) -> std::uint64_t {
      throw std::runtime_error("no room");
    };
    CHECK_THROWS_WITH(jobs::run_farm(pool, source, {}, {.on_done = fail}), "no room");
  }
  rankpool::executor pool(support::cluster());
  CHECK(run_lines(pool, "echo again\n").out[1] == "again\n");
}
