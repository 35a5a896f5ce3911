// Tests the object that --json prints.
#include "engine/run_report.hpp"

#include <unistd.h>

#include <array>
#include <string>

#include "engine/output.hpp"
#include "support/catch.hpp"

namespace {

using jobs::run_report;
using ending = run_report::ending;

/// Returns the text that a report prints while `tell` uses it.
template <class Tell>
std::string printed_report(Tell tell) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  {
    run_report report(ends[1]);
    tell(report);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;) text.append(part.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  return text;
}

constexpr run_report::costs costs{
    .wall_seconds = 1.5, .cpu_seconds = 3, .tasks = 7, .workers = 3, .workers_lost = 1, .tasks_lost = 9};

}  // namespace

TEST_CASE("lines are joined from their parts, and figures keep all their digits") {
  const std::string text = printed_report([](run_report& report) {
    report.start("squares", "{\"to\":\"2\"}");
    report.add_lines("Squ");
    report.add_lines("are: 1\nSquare: 4\nlast");
    report.add("sum", mpz_class("123456789012345678901234567890"));
    report.add("negative", -5);
    report.add("name", "a \"b\"");
    report.verified("it is so");
    report.finish(costs, ending::done);
  });
  CHECK(text ==
        "{\"job\": \"squares\", \"parameters\": {\"to\":\"2\"}, \"lines\": [\"Square: 1\", \"Square: 4\", \"last\"], \"result\": "
        "{\"sum\": \"123456789012345678901234567890\", \"negative\": -5, \"name\": \"a \\\"b\\\"\"}, \"verified\": \"it is so\", "
        "\"status\": "
        "\"done\", "
        "\"wall_seconds\":1.5,\"cpu_seconds\":3.0,\"tasks\":7,\"restored\":0,\"workers\":3,\"workers_lost\":1,\"tasks_lost\":9}\n");
}

TEST_CASE("numbers of verified and failed results follow the verification") {
  const jobs::checked_results results{.verified = 2, .failed = 1, .unchecked = 3, .noun = "block"};
  const std::string text = printed_report([&](run_report& report) {
    report.start("is-prime", "{}");
    report.checked(results);
    report.verified(results.text());
    report.finish(costs, ending::done);
  });
  CHECK_THAT(text,
             support::containing("\"verified\": \"2 of 6 blocks, 1 failed\", \"verified_results\": 2, \"failed_results\": 1, "));
}

TEST_CASE("a failed job prints one complete object, with the error") {
  const std::string text = printed_report([](run_report& report) {
    report.start("divide", "{}");
    report.add_lines("Result: 5\n");
    report.finish(costs, ending::failed, "no more");
    report.finish(costs, ending::done);  // a second call does nothing
  });
  CHECK_THAT(text, support::containing("\"lines\": [\"Result: 5\"], \"status\": \"failed\", \"error\": \"no more\""));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("a stopped job has the status stopped, not failed") {
  const std::string text = printed_report([](run_report& report) {
    report.start("primes", "{}");
    report.finish(costs, ending::stopped, "its time was up");
  });
  CHECK_THAT(text, support::containing("\"status\": \"stopped\", \"error\": \"its time was up\""));
}

TEST_CASE("a report is not continued after a failed write") {
  run_report report(-1);
  CHECK_THROWS_AS(report.start("divide", "{}"), jobs::output_error);
  CHECK_NOTHROW(report.finish(costs, ending::failed, "cannot write"));
}

TEST_CASE("bytes that are not UTF-8 do not make the object invalid") {
  const std::string text = printed_report([](run_report& report) {
    report.start("exec", "{}");
    report.add_lines(std::string("\xff\x01\0\t", 4) + "\n");
    report.finish(costs, ending::done);
  });
  CHECK_THAT(text, support::containing("[\"\xef\xbf\xbd\\u0001\\u0000\\t\"]"));
}

TEST_CASE("without --json, a report prints nothing") {
  CHECK(printed_report([](run_report& report) {
          report.add("sum", 1);
          report.finish(costs, ending::done);
        }).empty());
}
