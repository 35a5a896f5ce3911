// Open MPI 5's launcher reports, which must be removed from output that arrives in parts of any size.
#include "mpi/launcher_report.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace {

#define RULE "--------------------------------------------------------------------------\n"

constexpr std::string_view status_report = RULE
    "prterun detected that one or more processes exited with non-zero status,\n"
    "thus causing the job to be terminated. The first process to do so was:\n"
    "\n"
    "   Process name: [prterun-node-37@1,1]\n"
    "   Exit code:    3\n" RULE;

constexpr std::string_view signal_report = RULE
    "prterun noticed that process rank 1 with PID 52 on node node exited on\n"
    "signal 9 (Killed).\n" RULE;

constexpr std::string_view exit_report = RULE
    "prterun has exited due to process rank 1 with PID 30 on node node exiting\n"
    "improperly. There are three reasons this could occur:\n"
    "\n"
    "1. this process did not call \"init\" before exiting, but others in the\n"
    "job did. This can cause a job to hang indefinitely while it waits for\n"
    "all processes to call \"init\". By rule, if one process calls \"init\",\n"
    "then ALL processes must call \"init\" prior to termination.\n"
    "\n"
    "You can avoid this message by specifying -quiet on the prterun command\n"
    "line.\n" RULE;

constexpr std::string_view other_message = RULE
    "prterun was unable to find the specified executable file, and therefore\n"
    "did not launch the job.\n" RULE;

/// Passes the text through a filter in parts of `length` characters.
std::string filtered(std::string_view text, std::size_t length) {
  rankpool::detail::launcher_report_filter filter;
  std::string passed;
  for (; !text.empty(); text.remove_prefix(std::min(length, text.size()))) passed += filter.pass(text.substr(0, length));
  return passed + filter.finish();
}

std::string joined(std::string_view a, std::string_view b, std::string_view c) { return std::string(a).append(b).append(c); }

}  // namespace

TEST_CASE("a report is removed, whatever parts it arrives in") {
  for (const std::string_view report : {status_report, signal_report, exit_report}) {
    const std::string text = joined("before\n", report, "after\n");
    for (std::size_t length = 1; length <= text.size(); ++length) {
      CAPTURE(report, length);
      REQUIRE(filtered(text, length) == "before\nafter\n");
    }
  }
}

TEST_CASE("two reports are removed, and the text between them is kept") {
  CHECK(filtered(joined(status_report, "between\n", signal_report), 10) == "between\n");
  CHECK(filtered(joined(status_report, "", signal_report), 1000).empty());
}

TEST_CASE("the number of repeated warnings is removed, and other numbers are passed on at once") {
  const std::string_view repeated = "3 more processes have sent help message help-mpi-ft.txt / module:untested:failundef\n";
  CHECK(filtered(joined("before\n", repeated, "after\n"), 1000) == "before\nafter\n");
  rankpool::detail::launcher_report_filter filter;
  CHECK(filter.pass("50") == "50");
}

TEST_CASE("a null byte is removed after a report, and only there") {
  const std::string null(1, '\0');
  for (const std::size_t length : {1, 7, 1000}) {
    CHECK(filtered(joined("a" + null, signal_report, null + "b" + null), length) == "a" + null + "b" + null);
  }
}

TEST_CASE("a report after a line without an end is removed") {
  CHECK(filtered(joined("no end", signal_report, ""), 7) == "no end");
  CHECK(filtered(joined("----", signal_report, ""), 7) == "----");
}

TEST_CASE("other messages and lines of hyphens are kept") {
  for (const std::size_t length : {1, 5, 1000}) {
    CHECK(filtered(other_message, length) == other_message);
    CHECK(filtered(joined(other_message, status_report, other_message), length) == joined(other_message, other_message, ""));
    CHECK(filtered(RULE, length) == RULE);
    CHECK(filtered(RULE "prterun noticed", length) == RULE "prterun noticed");
  }
}

TEST_CASE("a report that does not end is removed") {
  CHECK(filtered(joined("before\n", signal_report.substr(0, signal_report.size() - 10), ""), 8) == "before\n");
}

TEST_CASE("text that cannot begin a report is passed on at once") {
  rankpool::detail::launcher_report_filter filter;
  CHECK(filter.pass("a prompt: ") == "a prompt: ");
  CHECK(filter.pass("minus - ") == "minus - ");
  CHECK(filter.pass("--").empty());
  CHECK(filter.pass("-x") == "---x");
  CHECK(filter.finish().empty());
}

TEST_CASE("warnings of the launcher's event library are removed") {
  const std::string warning =
      "[warn] Epoll MOD(4) on fd 22 failed. Old events were 6; read change was 2 (del): Bad file descriptor\n";
  for (const std::size_t length : {1, 7, 1000}) {
    CHECK(filtered("before\n" + warning + warning + "[warn] of a task\nafter\n", length) == "before\n[warn] of a task\nafter\n");
  }
}

TEST_CASE("a line about an error within PMIx is removed with its prefix, whatever parts it arrives in") {
  constexpr std::string_view line =
      "[node-7.cluster:06565] PMIX ERROR: BAD-PARAM in file ../../../src/event/pmix_event_notification.c at line 1033\n";
  const std::string text = joined("before [1] ", line, "[after: 2] [node:1");
  for (std::size_t length = 1; length <= text.size(); ++length) {
    CAPTURE(length);
    REQUIRE(filtered(text, length) == "before [1] [after: 2] [node:1");
  }
}
