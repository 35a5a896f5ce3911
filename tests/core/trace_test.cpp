// Unit tests of the trace: the test plays the dispatcher, and reads the file as JSON.
#include "support/catch.hpp"
#include "support/counting_job.hpp"
#include "trace/frequent_event.hpp"
#include "trace/recorder.hpp"

#include <rankpool/errors.hpp>

#include <zlib.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace rankpool::detail;
using namespace std::chrono_literals;
using nlohmann::json;

std::string file_name(const std::string& end = ".json") {
  return (std::filesystem::temp_directory_path() / ("trace-test-" + std::to_string(::getpid()) + end)).string();
}

json read_trace(const std::string& file) {
  std::ifstream in(file);
  return json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

/// Rank 0 and its two workers; the second one is on another node, whose clock is an hour ahead.
struct traced_pool {
  std::string file = file_name();
  const steady_time begin = std::chrono::steady_clock::now();
  std::atomic<steady_time> time{begin};
  std::chrono::nanoseconds drift{};  // of the clock of node8
  recorder trace{
      file, {"node7", "an MPI"}, {{{1, "node7", 11}, 0, 0ns}, {{2, "node8", 12}, 1, 1h}}, [this] { return time.load(); }};
  shared_job<support::counting_job> work = make_job<support::counting_job>(1000, 1000);

  traced_pool() = default;
  traced_pool(const traced_pool&) = delete;
  traced_pool& operator=(const traced_pool&) = delete;
  ~traced_pool() { std::filesystem::remove(file); }

  observed_chunk chunk(int worker, std::uint64_t tasks) const { return {*work, 0, tasks, worker, 0ns}; }

  /// A chunk that was sent, and ran on a worker from `from` to `to`, counted from the start.
  void ran(int worker, std::uint64_t tasks, std::chrono::nanoseconds from, std::chrono::nanoseconds to, bool threw = false) {
    outcome result;
    result.what = threw ? outcome::kind::threw : outcome::kind::value;
    result.taken = to - from;
    time = begin + from;
    trace.on_sent(chunk(worker, tasks));
    observed_chunk ended = chunk(worker, tasks);
    ended.ended = begin.time_since_epoch() + to + (worker == 1 ? 1h + drift : 0h);
    time = begin + to;
    trace.on_finished(ended, result);
  }

  /// Events with this phase, without metadata.
  std::vector<json> events(const std::string& phase) {
    CHECK(trace.finish({}).empty());
    std::vector<json> found;
    for (const json& event : read_trace(file)) {
      if (event["ph"] == phase) found.push_back(event);
    }
    return found;
  }
};

}  // namespace

TEST_CASE("trace: a chunk is a slice of its worker, on the clock of rank 0") {
  traced_pool pool;
  pool.ran(0, 5, 10ms, 30ms);
  pool.ran(1, 7, 20ms, 50ms);
  const auto slices = pool.events("X");
  REQUIRE(slices.size() == 2);
  CHECK(slices[0]["pid"] == 1);
  CHECK(slices[0]["tid"] == 1);
  CHECK(slices[0]["args"]["tasks"] == 5);
  CHECK(slices[0]["dur"] == 20'000.0);
  CHECK(slices[1]["pid"] == 2);
  CHECK(slices[1]["tid"] == 2);
  CHECK(slices[1]["args"]["tasks"] == 7);
  CHECK(std::abs(slices[1]["ts"].get<double>() - slices[0]["ts"].get<double>() - 10'000) < 1);
}

TEST_CASE("trace: no chunk begins before it was sent, or ends after its result has arrived, although clocks drift") {
  for (const auto drift : {5ms, -5ms}) {
    traced_pool pool;
    pool.ran(1, 1, 10ms, 30ms);
    pool.drift = drift;
    pool.ran(1, 1, 50ms, 60ms);
    pool.ran(1, 1, 70ms, 80ms);
    const auto slices = pool.events("X");
    REQUIRE(slices.size() == 3);
    CHECK(slices[0]["ts"] == 10'000.0);
    CHECK(slices[1]["ts"] == 50'000.0);
    CHECK(slices[2]["ts"] == 70'000.0);
    CHECK(slices[2]["dur"] == 10'000.0);
  }
}

TEST_CASE("trace: short chunks without a pause are one slice; a pause or a long chunk begins another") {
  traced_pool pool;
  for (int n = 0; n < 100; ++n) pool.ran(0, 2, n * 5us, (n + 1) * 5us, n == 50);
  pool.ran(0, 1, 700us, 800us);  // after a pause of 200 us
  pool.ran(0, 1, 800us, 3ms);
  const auto slices = pool.events("X");
  REQUIRE(slices.size() == 3);
  CHECK(slices[0]["args"] == json{{"tasks", 200}, {"chunks", 100}, {"busy_us", 500.0}, {"failed", 2}});
  CHECK(slices[1]["args"]["tasks"] == 1);
  CHECK(slices[2]["dur"] == 2200.0);
}

TEST_CASE("trace: times have three decimals, and arguments are whole numbers or likewise") {
  using std::chrono::nanoseconds;
  const json slice =
      json::parse(slice_event("\"f\"", {3, 4}, 1'000'000'005ns, 1'000'001'100ns, {{"n", std::uint64_t{7}}, {"t", 90ns}}));
  CHECK(slice == json{{"ph", "X"},
                      {"name", "f"},
                      {"pid", 3},
                      {"tid", 4},
                      {"ts", 1'000'000.005},
                      {"dur", 1.095},
                      {"args", {{"n", 7}, {"t", 0.09}}}});
  const json counter = json::parse(counter_event("c", {1, 0}, nanoseconds(1), {{"MiB", 12.25}}));
  CHECK(counter == json{{"ph", "C"}, {"name", "c"}, {"pid", 1}, {"tid", 0}, {"ts", 0.001}, {"args", {{"MiB", 12.25}}}});
}

TEST_CASE("trace: the longer a run takes, the longer is what is merged") {
  traced_pool pool;
  const auto run_for_100_s = [&](std::chrono::nanoseconds from) {
    for (int n = 0; n < 2000; ++n) pool.ran(0, 1, from + n * 50ms, from + n * 50ms + 40ms);
  };
  run_for_100_s(0s);
  run_for_100_s(100h);
  const auto slices = pool.events("X");
  CHECK(slices.size() > 2000);
  CHECK(slices.size() < 2020);
  std::uint64_t tasks = 0;
  for (const json& slice : slices) tasks += slice["args"]["tasks"].get<std::uint64_t>();
  CHECK(tasks == 4000);
}

TEST_CASE("trace: the end has totals of functions and workers, and the slowest chunks") {
  traced_pool pool;
  for (int n = 0; n < 30; ++n) pool.ran(n % 2, 4, n * 1ms, n * 1ms + (n + 1) * 4us, n == 7);
  pool.trace.on_sent(pool.chunk(1, 9));
  pool.trace.on_recalled(pool.chunk(1, 9));
  pool.trace.on_cpu_time({1}, 12'000);
  std::map<std::string, std::vector<json>> found;
  for (const json& event : pool.events("M")) found[event["name"]].push_back(event["args"]);
  REQUIRE(found["rankpool function"].size() == 1);
  const json& function = found["rankpool function"][0];
  CHECK(function["tasks"] == 120);
  CHECK(function["failed"] == 4);
  CHECK(function["chunks"] == 30);
  CHECK(function["busy_us"] == 30 * 31 / 2 * 4.0);
  std::uint64_t timed = 0;
  for (const json& each : function["times_us"]) {
    CHECK(each[0] >= 0.7);
    CHECK(each[0] <= 30);
    timed += each[1].get<std::uint64_t>();
  }
  CHECK(timed == 120);
  REQUIRE(found["rankpool worker"].size() == 2);
  CHECK(found["rankpool worker"][1]["tasks"] == 60);
  CHECK(found["rankpool worker"][1]["failed"] == 4);
  CHECK(found["rankpool worker"][1]["recalled"] == 9);
  CHECK(found["rankpool worker"][1]["cpu_us"] == 12.0);
  std::vector<double> slowest;
  for (const json& each : found["rankpool slow tasks"]) slowest.push_back(each["taken_us"]);
  std::ranges::sort(slowest);
  REQUIRE(slowest.size() == 20);
  CHECK(slowest.front() == 11 * 4.0);
  CHECK(slowest.back() == 30 * 4.0);
  REQUIRE(found["rankpool run"].size() == 1);
  CHECK(found["rankpool run"][0]["mpi"] == "an MPI");
  CHECK(found["rankpool end"].size() == 1);
}

TEST_CASE("trace: slices of a worker never overlap") {
  traced_pool pool;
  pool.ran(0, 1, 0ms, 10ms);
  pool.ran(0, 1, 9ms, 20ms);  // clocks are read at slightly different times
  const auto slices = pool.events("X");
  REQUIRE(slices.size() == 2);
  CHECK(slices[1]["ts"].get<double>() >= slices[0]["ts"].get<double>() + slices[0]["dur"].get<double>());
}

TEST_CASE("trace: counters show the tasks at the workers, and messages and bytes since the start") {
  traced_pool pool;
  pool.trace.on_sent(pool.chunk(0, 40));
  pool.trace.on_sent(pool.chunk(1, 30));
  pool.trace.on_recalled(pool.chunk(1, 10));
  observed_step step;
  step.begin = pool.begin + 1ms;
  step.received = step.begin + 1us;
  step.scheduled = step.begin + 3us;
  step.sent = step.begin + 7us;
  step.end = step.begin + 8us;
  step.unfinished_jobs = 6;
  step.sent_so_far = {3, 4000};
  step.received_so_far = {2, 90};
  pool.trace.on_step(step);
  std::map<std::string, json> counters;
  for (const json& event : pool.events("C")) counters[event["name"]] = event["args"];
  CHECK(counters["tasks at workers"] == json::object({{"tasks", 60}}));
  CHECK(counters["unfinished calls"] == json::object({{"calls", 6}}));
  CHECK(counters["messages"] == json{{"sent", 3}, {"received", 2}});
  CHECK(counters["message bytes"] == json{{"sent", 4000}, {"received", 90}});
  CHECK(counters["resident memory of rank 0, MiB"]["MiB"].get<double>() > 1);
  const auto work = pool.events("X");
  REQUIRE(work.size() == 1);
  CHECK(work[0]["tid"] == 0);
  CHECK(work[0]["args"] ==
        json{{"receiving_us", 1.0}, {"scheduling_us", 2.0}, {"sending_us", 4.0}, {"callbacks_us", 1.0}, {"steps", 1}});
}

TEST_CASE("trace: a lost worker is an event of its track") {
  traced_pool pool;
  pool.trace.on_sent(pool.chunk(1, 30));
  pool.trace.on_recalled(pool.chunk(1, 30));
  pool.trace.on_lost({2, "node8"}, "was ended by signal 9 (Killed)", 30);
  const auto events = pool.events("i");
  REQUIRE(events.size() == 1);
  CHECK(events[0]["pid"] == 2);
  CHECK(events[0]["tid"] == 2);
  CHECK(events[0]["args"] == json{{"cause", "was ended by signal 9 (Killed)"}, {"unfinished_tasks", 30}});
}

TEST_CASE("trace: hosts and ranks have names") {
  traced_pool pool;
  std::map<std::pair<int, int>, std::string> threads;
  std::map<int, std::string> processes;
  for (const json& event : pool.events("M")) {
    if (event["name"] == "process_name") processes[event["pid"]] = event["args"]["name"];
    if (event["name"] == "thread_name") threads[{event["pid"], event["tid"]}] = event["args"]["name"];
  }
  CHECK(processes == std::map<int, std::string>{{1, "node7"}, {2, "node8"}});
  CHECK(threads == std::map<std::pair<int, int>, std::string>{
                       {{1, 0}, "rank 0: the pool's own work"}, {{1, 1}, "rank 1"}, {{2, 2}, "rank 2"}});
}

TEST_CASE("trace: a file whose name ends in .gz is compressed") {
  const std::string file = file_name(".json.gz");
  {
    event_file events(file, {});
    events.add(R"({"ph":"X"})");
    CHECK(events.close().empty());
  }
  gzFile in = ::gzopen(file.c_str(), "rb");
  REQUIRE(in != nullptr);
  CHECK(::gzdirect(in) == 0);
  std::string text(100, '\0');
  text.resize(static_cast<std::size_t>(::gzread(in, text.data(), 100)));
  ::gzclose(in);
  std::filesystem::remove(file);
  CHECK(json::parse(text) == json::array({json::object({{"ph", "X"}})}));
}

TEST_CASE("trace: a file that cannot be created or written is an error that names the reason") {
  CHECK_THROWS_WITH(event_file("/nowhere/trace.json", {}),
                    support::containing("'/nowhere/trace.json'") && support::containing("No such file"));
  event_file events("/dev/full", {});
  events.add(std::string(1 << 20, 'x'));
  CHECK_THAT(events.close(), support::containing("No space left"));
  CHECK_THAT(events.close(), support::containing("No space left"));
}

TEST_CASE("trace: an event that does not fit in memory is counted, and the rest of the file is complete") {
  const std::string file = file_name();
  event_file events(file, {});
  events.add("1");
  events.add(std::string(65 << 20, '2'));
  events.add("3");
  CHECK(events.close().empty());
  CHECK(events.dropped() == 1);
  CHECK(read_trace(file) == json::array({1, 3}));
  std::filesystem::remove(file);
}
