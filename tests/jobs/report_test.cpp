// Tests the report of a run: its data, its findings, and the reading of traces.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "report/activity.hpp"
#include "report/findings.hpp"
#include "report/page.hpp"
#include "report/plots.hpp"
#include "report/run_data.hpp"
#include "report/trace_reader.hpp"
#include "support/catch.hpp"

using namespace jobs;

namespace {

bool is_about(double value, double expected) { return std::abs(value - expected) <= 0.02 * std::abs(expected) + 1e-9; }

/// A run of workers with one function, whose tasks the test adds.
struct planted_run {
  run_data data;

  planted_run(std::size_t workers, double seconds) {
    data.seconds = seconds;
    data.is_complete = true;
    data.functions.push_back({.name = "f"});
    for (std::size_t i = 0; i < workers; ++i) data.workers.push_back({.rank = static_cast<int>(i) + 1, .host = "node7"});
  }
  /// Adds tasks that a worker ran one after another, each a chunk.
  void ran(std::size_t worker, double begin, double end, std::uint64_t tasks) {
    run_data::worker& w = data.workers[worker];
    if (w.tasks == 0) w.first = begin;
    w.last = end;
    w.tasks += tasks;
    w.chunks += tasks;
    w.busy += end - begin;
    data.when_busy.add(worker, begin, end, end - begin, 0, tasks);
    run_data::function& f = data.functions[0];
    f.tasks += tasks;
    f.busy += end - begin;
  }
  std::string text() const {
    std::string all;
    for (const std::string& each : findings(data)) all += each + "\n";
    return all;
  }
};

/// A file with these lines, as a trace.
struct trace_file {
  std::string path = (std::filesystem::temp_directory_path() / ("report-test-" + std::to_string(::getpid()))).string();

  explicit trace_file(const std::vector<std::string>& events, const std::string& end = "\n]\n") {
    std::ofstream out(path);
    out << "[";
    const char* separator = "\n";
    for (const std::string& event : events) {
      out << separator << event;
      separator = ",\n";
    }
    out << end;
  }
  trace_file(const trace_file&) = delete;
  trace_file& operator=(const trace_file&) = delete;
  ~trace_file() { std::filesystem::remove(path); }
};

const std::string begin_event =
    R"({"ph":"M","name":"rankpool run","pid":1,"tid":0,"args":{"format":1,"version":"1.2","mpi":"an MPI","command":["p","<x>"],)"
    R"("host":"n1","pid":7,"started":0.0,"workers":2,"inline":false}})";
const std::string slice_event =
    R"({"ph":"X","name":"f","pid":1,"tid":1,"ts":1000000.0,"dur":2000000.0,"args":{"tasks":4,"chunks":2,"busy_us":1500000.0,"failed":1}})";

}  // namespace

TEST_CASE("report: activity keeps the busy time of each worker, however long the run becomes") {
  activity when;
  for (int i = 0; i < 1000; ++i) when.add(1, i, i + 0.5, 0.5, 0, 2);
  const std::size_t columns = when.columns_until(1000);
  CHECK(columns > activity::columns / 2 - 1);
  CHECK(columns <= activity::columns);
  double busy = 0;
  for (const auto& column : when.of(1)) busy += column.busy;
  CHECK(is_about(busy, 500));
  double tasks = 0;
  for (const double each : when.tasks()) tasks += each;
  CHECK(is_about(tasks, 2000));
  CHECK(when.of(0).empty());
  CHECK(when.of(7).empty());
}

TEST_CASE("report: a column has the function that took most of its time") {
  activity when;
  when.add(0, 0.0, 0.2, 0.2, 5, 1);
  when.add(0, 0.2, 0.9, 0.7, 6, 1);
  when.add(0, 1000, 1001, 1, 5, 1);  // makes columns wider
  CHECK(when.of(0)[0].function == 6);
}

TEST_CASE("report: a quantile is estimated from the classes of times") {
  CHECK(is_about(quantile({{1.0, 50}, {8.0, 50}}, 0.25), std::pow(2, 0.25)));
  CHECK(quantile({{1.0, 50}, {8.0, 50}}, 0.99) > 8);
  CHECK(quantile({}, 0.5) == 0);
}

TEST_CASE("report: a run in which workers computed all the time has no findings") {
  planted_run run(4, 10);
  for (std::size_t w = 0; w < 4; ++w) run.ran(w, 0.01, 9.95, 100);
  CHECK(run.text().empty());
}

TEST_CASE("report: one long task at the end is named, with the time that it ran alone") {
  planted_run run(4, 20);
  for (std::size_t w = 0; w < 4; ++w) run.ran(w, 0, 8, 80);
  run.ran(2, 8, 20, 1);  // which does not make rank 3 a slow worker
  run.data.slowest.push_back({.function = 0, .worker = 2, .first = 320, .tasks = 1, .begin = 8, .taken = 12});
  const std::string text = run.text();
  CHECK(text.find("workers waited 45 % of their time, because no task was left") != text.npos);
  CHECK(text.find("The last task took 12 s on rank 3 (node7) and began after 40 % of the run; for 12 s it ran alone") != text.npos);
  CHECK(text.find("median worker") == text.npos);
}

TEST_CASE("report: time after the last task is a finding") {
  planted_run run(4, 10);
  for (std::size_t w = 0; w < 4; ++w) run.ran(w, 0, 6, 100);
  CHECK(run.text().starts_with("After the last task, the run went on for 4 s, 40 % of its time."));
}

TEST_CASE("report: a worker that is slower than the others is named") {
  planted_run run(4, 10);
  for (std::size_t w = 0; w < 4; ++w) run.ran(w, 0, 10, w == 1 ? 25 : 100);
  CHECK(run.text().find("Rank 2 (node7) needed 4 times as long for a task as the median worker (400 ms instead of 100 ms)") !=
        std::string::npos);
}

TEST_CASE("report: workers are not called slow if their tasks differ") {
  planted_run run(4, 10);
  run.data.functions.push_back({.name = "g", .tasks = 5, .busy = 20});
  for (std::size_t w = 0; w < 4; ++w) run.ran(w, 0, 10, w == 1 ? 25 : 100);
  run.data.functions[0].busy = 20;
  CHECK(run.text().empty());
}

TEST_CASE("report: tasks that are too short are a finding") {
  planted_run run(2, 1);
  run.ran(0, 0, 1, 100'000);
  run.ran(1, 0, 1, 100'000);
  for (auto& w : run.data.workers) w.busy = 0.3;
  const std::string text = run.text();
  CHECK(text.find("Workers waited 70 % of their time: tasks of 3 us are shorter") != text.npos);
}

TEST_CASE("report: too few submitted tasks, a busy rank 0, losses and failures are findings") {
  planted_run run(4, 10);
  for (std::size_t w = 0; w < 4; ++w) run.ran(w, 0, 10, 10);
  for (auto& w : run.data.workers) w.busy = 2;
  for (int i = 0; i <= 100; ++i) run.data.samples.push_back({i / 10.0, i < 50 ? 1U : 8U});
  run.data.rank_0 = run_data::own_work{.receiving = 1, .scheduling = 1, .sending = 5, .callbacks = 1};
  run.data.workers[3].lost = {.when = 5, .cause = "was ended by signal 9 (Killed)", .tasks = 3};
  run.data.workers[0].failed = 2;
  run.data.failures.push_back({.function = 0, .worker = 0, .item = 1, .when = 1, .error = "std::runtime_error: no", .stack = {}});
  const std::string text = run.text();
  CHECK(text.find("For 50 % of the run, the workers had fewer tasks than there are workers") != text.npos);
  CHECK(text.find("left 38 % of the workers' time unused") != text.npos);
  CHECK(text.find("Rank 0 was busy for 80 % of the run, most of it with encoding and sending tasks (5 s)") != text.npos);
  CHECK(text.find("1 worker was lost, and with it 3 unfinished tasks and 12 % of the workers' time") != text.npos);
  CHECK(text.starts_with("2 tasks of 40 failed. The first error: std::runtime_error: no\n"));
}

TEST_CASE("report: the first sentences say how a run ended that did not end as it should") {
  planted_run run(1, 10);
  run.ran(0, 0, 10, 40);
  run.data.ending = "failed: std::runtime_error: no\nat line 3";
  run.data.functions[0].items = 50;
  CHECK(run.text().starts_with("The run failed: std::runtime_error: no.\n40 of 50 tasks of f have finished. The run was stopped"));
  run.data.ending.clear();
  run.data.functions[0].items = 40;
  CHECK(run.text().find("The run") == std::string::npos);
}

TEST_CASE("report: the trace of a run that was killed has the totals of its slices") {
  const trace_file file({begin_event, slice_event, slice_event}, R"(,
{"ph":"X","name":"f","pi)");
  const run_data run = read_trace(file.path);
  CHECK_FALSE(run.is_complete);
  CHECK(run.tasks() == 8);
  CHECK(run.failed() == 2);
  CHECK(is_about(run.busy(), 3));
  CHECK(is_about(run.seconds, 3));
  REQUIRE(run.functions.size() == 1);
  CHECK(run.functions[0].chunks == 4);
  CHECK(findings(run).front().find("The trace has no end") == 0);
}

TEST_CASE("report: a damaged trace is an error that names the line") {
  const trace_file cut_within({begin_event, R"({"ph":"X","na)", slice_event});
  CHECK_THROWS_WITH(read_trace(cut_within.path), support::containing("damaged in line 4"));
  const trace_file without_field({begin_event, R"({"ph":"X","name":"f","pid":1,"tid":1})"});
  CHECK_THROWS_WITH(read_trace(without_field.path), support::containing("damaged in line 3"));
}

TEST_CASE("report: a file of another kind is not a trace") {
  for (const std::string first : {R"({"ph":"M","name":"other"})", "1", "no JSON"}) {
    const trace_file file({first});
    CHECK_THROWS_WITH(read_trace(file.path), support::containing("neither a trace nor a journal"));
  }
  const trace_file empty({}, "");
  CHECK_THROWS_WITH(read_trace(empty.path), support::containing("neither a trace nor a journal"));
  CHECK_THROWS_WITH(read_trace("/nowhere/trace"), support::containing("cannot be read: No such file"));
}

TEST_CASE("report: text of the run is escaped in the page") {
  const trace_file file({begin_event, slice_event});
  const std::string page = page_of(read_trace(file.path));
  CHECK(page.find("&apos;&lt;x&gt;&apos;") != page.npos);
  CHECK(page.find("<x>") == page.npos);
}

TEST_CASE("report: above 200 workers, a row of the timeline is a node") {
  planted_run run(450, 10);
  for (std::size_t w = 0; w < 450; ++w) {
    run.data.workers[w].host = "node" + std::to_string(w / 2);
    run.ran(w, 0, 10, 1);
  }
  const timeline drawn = draw_timeline(run.data, color_table(run.data));
  CHECK(drawn.is_by_node);
  REQUIRE(drawn.blocks.size() == 1);
  CHECK(drawn.blocks[0].rows.size() == 113);  // of 225 nodes
  CHECK(drawn.blocks[0].rows[0] == "node0 to node1");
  CHECK(drawn.blocks[0].rows[112] == "node224");
}
