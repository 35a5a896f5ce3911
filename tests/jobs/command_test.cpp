// What is common to all jobs: how a check refuses, and what a report says was asked for.
#include "support/command.hpp"

#include <cstdint>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "support/catch.hpp"
#include "support/numbers.hpp"

using namespace jobs;

namespace {

/// What `check` comes to once its job is chosen.
void refuse(const job_check& check) {
  CLI::App app;
  command_context context;
  add_job(
      app, context, "job", "a job", [](rankpool::cluster&, command_context&) { return 0; }, check);
  app.parse("job");
  context.check();
}

}  // namespace

TEST_CASE("whatever stops a check is a usage error in one line") {
  CHECK_THROWS_WITH(refuse([] { throw usage_error("--to is missing"); }), "--to is missing");
  CHECK_THROWS_AS(refuse([] { throw std::system_error(EIO, std::generic_category(), "cannot read x"); }), usage_error);
  CHECK_THROWS_AS(refuse([] { throw std::bad_alloc(); }), usage_error);
  CHECK_THROWS_WITH(refuse([] { throw std::bad_alloc(); }), support::containing("more memory than there is"));
}

TEST_CASE("parameters are all that was or could have been asked for, with the defaults of what was not") {
  CLI::App app;
  command_context context;
  CLI::App& job = add_job(app, context, "job", "a job", [](rankpool::cluster&, command_context&) { return 0; });
  int rounds = 20, radius = 0;
  std::vector<std::uint64_t> given{1}, numbers{35, 40}, none;
  std::string type = "int64", file;
  bool strict = false;
  add_number(job, "--rounds", rounds, "", 1, 100);
  add_number(job, "--radius", radius, "", 1, 100);
  add_numbers(job, "--given", given, "");
  add_numbers(job, "--numbers", numbers, "");
  add_numbers(job, "--none", none, "");
  job.add_option("--type", type);
  job.add_option("--file", file);
  job.add_flag("--strict", strict);
  context.tail = {"rm", "-f"};
  app.parse("job --rounds 3e1 --given 2^3 5 --json");
  CHECK(context.parameters ==
        R"({"arguments":["rm","-f"],"file":null,"given":["2^3","5"],"none":[],"numbers":["35","40"],"radius":null,)"
        R"("rounds":"3e1","strict":false,"type":"int64","workers":null})");
}
