// Tests the state of a run: as JSON, as a page, and read again and again.
#include "engine/run_status.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "top/page.hpp"
#include "top/watched_status.hpp"

using namespace jobs;
using namespace std::chrono_literals;

namespace {

run_status example() {
  run_status status{.job = "primes",
                    .command = {"primes", "1", "1e12"},
                    .host = "n1",
                    .pid = 4321,
                    .started = run_status::time_point(1'800'000'000s),
                    .updated = run_status::time_point(1'800'000'060s),
                    .figures = {.done = 30,
                                .total = 120,
                                .failed = 2,
                                .restored = 6,
                                .retried = 1,
                                .workers_lost = 1,
                                .elapsed_seconds = 60,
                                .rate = 0.5,
                                .busy_share = 0.75,
                                .remaining_seconds = 180},
                    .cpu_seconds = 90,
                    .resident_bytes = 3 << 20};
  status.workers = {{1, "n1", false, 20, 0.9, 55}, {2, "n2", true, 4, 0.5, 30}};
  return status;
}

std::vector<std::string> lines_of(const std::string& page) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = page.find('\n', at);
    lines.push_back(page.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string error_of(const std::string& text) {
  try {
    (void)run_status::parse(text);
  } catch (const status_error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a state is read as it was written") {
  run_status status = example();
  status.is = run_status::stage::failed;
  status.error = "task 7 failed:\n\x1b[31m\xff";
  const std::string json = status.to_json();
  CHECK(run_status::is_status(json));
  const run_status read = run_status::parse(json);
  CHECK(read.to_json() == json);
  CHECK(read.is == run_status::stage::failed);
  CHECK(read.command == status.command);
  CHECK(read.updated == status.updated);
  CHECK(read.figures.remaining_seconds == 180);
  CHECK(read.workers.at(1).host == "n2");
  CHECK(read.workers.at(1).lost);
}

TEST_CASE("other files are no states") {
  for (const char* const text : {"", "{", "[]", "{\"job\": 1}", "rows of text", "null"}) {
    CHECK_FALSE(run_status::is_status(text));
    CHECK(error_of(text) == "is not a status file of rankpool");
  }
  CHECK_THAT(error_of("{\"rankpool_status\":2}"), support::containing("status format 2"));
  CHECK_THAT(error_of("{\"rankpool_status\":1}"), support::containing("is damaged"));
  std::string json = example().to_json();
  json.replace(json.find("\"running\""), 9, "\"dancing\"");
  CHECK_THAT(error_of(json), support::containing("unknown state"));
}

TEST_CASE("many workers are combined to nodes") {
  std::vector<rankpool::worker_info> infos;
  std::vector<rankpool::worker_statistics> figures;
  for (int w = 0; w < 6; ++w) {
    infos.push_back({w + 1, w % 2 == 0 ? "n1" : "n2", 1, w == 3});
    figures.push_back({.rank = w + 1, .tasks = 10, .busy = w * 1s, .idle = (6 - w) * 1s, .cpu_time = 2s});
  }
  run_status status = example();
  status.set_workers(infos, figures, 6);
  CHECK(status.workers.size() == 6);
  CHECK(status.nodes.empty());
  CHECK(status.workers[3].busy_share == 0.5);
  status.set_workers(infos, figures, 5);
  CHECK(status.workers.empty());
  REQUIRE(status.nodes.size() == 2);
  CHECK(status.nodes[1].host == "n2");
  CHECK(status.nodes[1].workers == 3);
  CHECK(status.nodes[1].workers_lost == 1);
  CHECK(status.nodes[1].tasks == 30);
  CHECK(status.nodes[1].busy_share == 0.5);
  CHECK(status.nodes[1].cpu_seconds == 6);
  CHECK(run_status::parse(status.to_json()).nodes.size() == 2);
  CHECK_THAT(status_page(status, ""), support::containing("n2          3     30  50 %      0:06  1 lost"));
}

TEST_CASE("a page has the run, its progress and a row per worker") {
  CHECK(lines_of(status_page(example(), "a notice")) ==
        std::vector<std::string>{
            "primes: running", "rankpool primes 1 1e12", "a notice", "[##########..............................] 25 %",
            "30 of 120 done, 2 failed, 1 worker lost, 1 retried, about 3:00 left, 0.5/s, 75 % busy, 1:00 passed",
            "CPU time 1:30, rank 0 on n1 (pid 4321) uses 3 MiB, 6 restored from the journal", "",
            "host  rank  tasks  busy  CPU time", "n1       1     20  90 %      0:55", "n2       2      4  50 %      0:30  lost"});
}

TEST_CASE("a page fits on a small terminal") {
  run_status status = example();
  status.workers.resize(50, status.workers.front());
  const auto lines = lines_of(status_page(status, "", {40, 20}));
  CHECK(lines.size() == 20);
  for (const std::string& line : lines) CHECK(line.size() <= 40);
  CHECK_THAT(lines.back(), support::containing("more lines"));
  CHECK_THAT(status_page(status, "", {40, 20}), support::containing("\nabout 3:00 left"));  // broken at a comma
  CHECK(lines_of(status_page(status, "", {1, 1})).size() == 1);
}

TEST_CASE("a page has no control characters") {
  run_status status = example();
  status.job = status.host = status.error = status.command[0] = status.workers[0].host = "a\x1b[2J\nb";
  const std::string page = status_page(status, "");
  CHECK(page.find('\x1b') == std::string::npos);
  CHECK(lines_of(page).size() == 9);
}

TEST_CASE("100 % are shown only when all is done") {
  run_status status = example();
  status.figures.done = 9999;
  status.figures.total = 10'000;
  CHECK_THAT(status_page(status, ""), support::containing("] 99 %"));
}

TEST_CASE("a text is cut between characters") {
  CHECK(cut_to("\xc3\xa4\xc3\xb6", 1) == "\xc3\xa4");
  CHECK(cut_to("abc", 5) == "abc");
}

TEST_CASE("a state that does not change is reported as outdated") {
  const auto start = watched_status::clock::now();
  const auto time = run_status::time_point(1'800'000'061s);
  run_status status = example();
  watched_status watched("file");
  watched.take("", start, time);
  CHECK_FALSE(watched.last());
  CHECK(watched.notice(start).empty());

  watched.take(status.to_json(), start, time);
  CHECK(watched.notice(start + 4s).empty());
  CHECK_THAT(watched.notice(start + 35s), support::containing("no update for 35 s: the run may have been killed"));
  CHECK_THAT(watched.notice(start + 100s), support::containing("no update for 1:40"));

  status.updated += 1s;  // a new state, whatever the clock of the other host says
  watched.take(status.to_json(), start + 35s, time + 500s);
  CHECK(watched.notice(start + 36s).empty());
  watched.take("", start + 36s, time);
  CHECK_THAT(watched.notice(start + 36s), support::containing("removed"));

  status.is = run_status::stage::done;
  watched.take(status.to_json(), start + 37s, time);
  CHECK(watched.has_ended());
  CHECK(watched.notice(start + 1000s).empty());
}

TEST_CASE("the age of the first state is known from the clocks of both hosts, if they differ by much") {
  const auto start = watched_status::clock::now();
  watched_status watched("file");
  watched.take(example().to_json(), start, run_status::time_point(1'800'000'069s));
  CHECK(watched.notice(start).empty());
  watched_status other("file");
  other.take(example().to_json(), start, run_status::time_point(1'800'000'090s));
  CHECK_THAT(other.notice(start), support::containing("no update for 30 s"));
}
