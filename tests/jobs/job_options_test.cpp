// Tests the options of a job: accepted values, the parameters of --json, and the identity in a journal.
#include "engine/job_options.hpp"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/command_line.hpp"
#include "engine/job.hpp"
#include "support/catch.hpp"
#include "support/usage_error.hpp"

using namespace jobs;

namespace {

struct declared_options {
  CLI::App parser;
  run_settings settings;
  job_options options{parser, settings};

  // CLI11 expects the words in reverse order.
  void parse(std::vector<std::string> words) { parser.parse(std::vector<std::string>(words.rbegin(), words.rend())); }
};

class counting : public job {
  interval<int> range_{1, 5};

  void declare(job_options& options) override {
    options.interval(range_, 0, 1000);
    options.output();
  }
  void run(job_run& run) override { run.out().print(range_.span() + 1, '\n'); }
};
const job_entry<counting> counting_entry("counting", "how many numbers");

class looking : public local_command {
  void declare(job_options&) override {}
  int run() override { return 0; }
};
const job_entry<looking> looking_entry("looking", "a look at something");

}  // namespace

TEST_CASE("an option error is one line with the name, the accepted values and the given value") {
  declared_options declared;
  int value = 3;
  declared.options.number("--count", value, "how many", 1, 1'000'000);
  declared.parse({"--count", "1e3"});
  CHECK(value == 1000);
  CHECK_THROWS_WITH(declared.parse({"--count", "2e6"}),
                    support::containing("--count requires a whole number from 1 to 1e6") && support::containing("not '2e6'"));
  CHECK_THROWS_WITH(declared.parse({"--count", "many"}),
                    support::containing("--count requires") && support::containing("not 'many'"));
  CHECK(value == 1000);
}

TEST_CASE("a list of numbers replaces its default") {
  declared_options declared;
  std::vector<std::uint64_t> values{35, 40};
  declared.options.numbers("n", values, "which ones", 0, 100);
  declared.parse({});
  CHECK(values == std::vector<std::uint64_t>{35, 40});
  declared.parse({"1", "2", "3"});
  CHECK(values == std::vector<std::uint64_t>{1, 2, 3});
}

TEST_CASE("texts, choices, times and sizes refuse invalid values") {
  declared_options declared;
  std::string file, type = "int64";
  std::optional<double> seconds;
  std::uint64_t bytes = 1 << 20;
  declared.options.text("--file", file, "", "FILE");
  declared.options.choice("--type", type, {"int64", "float64"}, "", "TYPE");
  declared.options.duration("--timeout", seconds, "");
  declared.options.size("--memory", bytes, "", 1 << 16, 1 << 30);
  declared.parse({"--timeout", "5min", "--memory", "1.5M", "--type", "float64"});
  CHECK(seconds == 300.0);
  CHECK(bytes == 3 << 19);
  CHECK(type == "float64");
  CHECK_THROWS_AS(declared.parse({"--file", ""}), CLI::ParseError);
  CHECK_THROWS_WITH(declared.parse({"--type", "int8"}), support::containing("--type") && support::containing("'int8'"));
  CHECK_THROWS_WITH(declared.parse({"--timeout", "soon"}), support::containing("--timeout") && support::containing("'soon'"));
  CHECK_THROWS_WITH(declared.parse({"--memory", "1K"}), support::containing("--memory") && support::containing("'1K'"));
}

TEST_CASE("the parameters of --json have types, and include defaults") {
  declared_options declared;
  int rounds = 20, radius = 0;
  std::vector<std::uint64_t> given{1}, numbers{35, 40}, none;
  std::optional<std::uint64_t> seed;
  std::string type = "int64", file;
  std::optional<double> seconds;
  std::uint64_t bytes = 1024, large = 1;
  bool strict = false;
  declared.options.common();
  declared.options.number("--rounds", rounds, "", 1, 100);
  declared.options.number("--radius", radius, "", 1, 100);
  declared.options.number("--seed", seed, "");
  declared.options.number("--large", large, "");
  declared.options.numbers("--given", given, "");
  declared.options.numbers("--numbers", numbers, "");
  declared.options.numbers("--none", none, "");
  declared.options.choice("--type", type, {"int64"}, "", "TYPE");
  declared.options.text("--file", file, "");
  declared.options.duration("--timeout", seconds, "");
  declared.options.size("--memory", bytes, "", 1, 1 << 30);
  declared.options.flag("--strict", strict, "");
  declared.settings.tail = {"rm", "-f"};
  declared.parse({"--rounds", "3e1", "--large", "2^64-1", "--given", "2^3", "5", "--json", "-j", "2", "--timeout", "1.5s"});
  CHECK(
      declared.options.parameters() ==
      R"({"arguments":["rm","-f"],"file":null,"given":[8,5],"large":18446744073709551615,"max-failures":null,"memory":1024,"none":[],)"
      R"("numbers":[35,40],"radius":null,"rounds":30,"seed":null,"strict":false,"timeout":1.5,"type":"int64","workers":2})");
  CHECK(declared.settings.json);
  CHECK(declared.settings.max_workers == 2);
}

TEST_CASE("the identity in a journal has the values that results depend on, in one notation") {
  const auto subject = [](const std::vector<std::string>& words) {
    declared_options declared;
    std::uint64_t to = 5;
    bool count = false, strict = false;
    std::string name;
    declared.options.common();
    declared.options.number("--to", to, "");
    declared.options.flag("--count", count, "");
    declared.options.flag("--strict", strict, "").without_effect();
    declared.options.text("--name", name, "").identified_by([&name] { return name.empty() ? "" : "<" + name + ">"; });
    declared.options.output();
    declared.options.chunksize("");
    declared.options.verify("");
    declared.options.identity("directory", [] { return "/here"; });
    declared.parse(words);
    return declared.options.subject("job");
  };
  CHECK(subject({}) == "job directory=/here to=5");
  CHECK(subject({"--to", "1e9", "--count", "--name", "x"}) == "job count directory=/here name=<x> to=1000000000");
  CHECK(subject({"--to", "1_000_000_000", "--count", "--name", "x"}) == subject({"--name", "x", "--count", "--to", "10^9"}));
  CHECK(subject({"--strict", "--verify", "--chunksize", "7", "--output", "file", "--force", "-j", "3", "--quiet"}) == subject({}));
}

TEST_CASE("options that need or exclude each other are checked") {
  declared_options declared;
  std::string file, type;
  int lists = 4;
  const auto input = declared.options.text("file", file, "");
  declared.options.text("--type", type, "").needs(input);
  declared.options.number("--lists", lists, "").excludes(input);
  CHECK_THROWS_AS(declared.parse({"--type", "int64"}), CLI::RequiresError);
  CHECK_THROWS_AS(declared.parse({"--lists", "3", "file"}), CLI::ExcludesError);
  CHECK_NOTHROW(declared.parse({"--type", "int64", "file"}));
  CHECK(input.is_given());
}

TEST_CASE("a command line selects a job, or gets an answer") {
  command_line line;
  REQUIRE(line.parse({"counting", "--to", "1e3", "--json"}));
  CHECK(line.name() == "counting");
  CHECK(line.chosen_job() != nullptr);
  CHECK(line.chosen_command() == nullptr);
  CHECK(line.settings().json);
  CHECK_NOTHROW(line.check());

  command_line look;
  REQUIRE(look.parse({"looking"}));
  CHECK(look.chosen_job() == nullptr);
  CHECK(look.chosen_command() != nullptr);

  command_line unknown;
  CHECK_FALSE(unknown.parse({"no-such-job"}));
  CHECK(unknown.answer().status == 2);
  CHECK_THAT(unknown.answer().text, support::containing("unknown job 'no-such-job'"));

  command_line typo;
  CHECK_FALSE(typo.parse({"counting", "--form", "3"}));
  CHECK_THAT(typo.answer().text, support::containing("unknown option '--form'"));

  command_line early;
  CHECK_FALSE(early.parse({"--json", "counting"}));
  CHECK_THAT(early.answer().text, support::containing("'--json' must follow the name of the job"));

  command_line reversed;
  REQUIRE(reversed.parse({"counting", "--from", "7"}));
  CHECK_THROWS_WITH(reversed.check(), "--to (5, the default) is less than --from (7)");
}
