#include "report/trace_reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "support/in_quotes.hpp"

namespace jobs {
namespace {

using nlohmann::json;

constexpr double seconds_per_microsecond = 1e-6;

/// The lines of a text file, which may be compressed.
class line_reader {
 public:
  explicit line_reader(const std::string& file) : file_(::gzopen(file.c_str(), "rbe")), name_(file) {
    if (file_ == nullptr) throw report_error(in_quotes(file) + " cannot be read: " + std::strerror(errno));
  }
  line_reader(const line_reader&) = delete;
  line_reader& operator=(const line_reader&) = delete;
  ~line_reader() { ::gzclose(file_); }

  /// Returns false at the end of the file, also if compressed data ends too early.
  bool next(std::string& line) {
    line.clear();
    std::array<char, 1 << 16> part{};
    while (::gzgets(file_, part.data(), part.size()) != nullptr) {
      line += part.data();
      if (line.ends_with('\n')) {
        line.pop_back();
        return true;
      }
    }
    int error = Z_OK;
    const char* text = ::gzerror(file_, &error);
    if (error == Z_ERRNO || error == Z_DATA_ERROR) {
      throw report_error(in_quotes(name_) + " cannot be read: " + (error == Z_ERRNO ? std::strerror(errno) : text));
    }
    return !line.empty();
  }

 private:
  gzFile file_;
  const std::string name_;
};

/// Turns events into the data of a run.
class trace_events {
 public:
  explicit trace_events(std::string file) { run_.file = std::move(file); }

  void take(const json& event) {
    const std::string phase = event.at("ph");
    if (phase == "M") return take_metadata(event);
    if (phase == "X") return take_slice(event);
    if (phase == "C") return take_counter(event);
    if (phase == "i") take_instant(event);
  }

  run_data finish() {
    if (!run_.is_complete) total_up_slices();
    std::ranges::sort(run_.slowest, std::ranges::greater(), &run_data::slow_chunk::seconds_per_task);
    run_.seconds = std::max(run_.seconds, latest_);
    return std::move(run_);
  }

 private:
  static double seconds(const json& value) { return value.get<double>() * seconds_per_microsecond; }

  std::size_t worker_of(const json& event) {
    const int rank = event.at("tid");
    const auto [found, is_new] = workers_.try_emplace(rank, run_.workers.size());
    if (is_new) {
      const auto host = hosts_.find(event.at("pid"));
      run_.workers.push_back({.rank = rank, .host = host == hosts_.end() ? "" : host->second});
    }
    return found->second;
  }

  std::size_t function_of(const std::string& name) {
    const auto [found, is_new] = functions_.try_emplace(name, run_.functions.size());
    if (is_new) run_.functions.push_back({.name = name});
    return found->second;
  }

  bool is_rank_0s_own(const json& event) const { return event.at("tid") == 0 && !is_inline_; }

  void take_metadata(const json& event) {
    const std::string name = event.at("name");
    const json& args = event.at("args");
    if (name == "process_name") {
      hosts_[event.at("pid")] = args.at("name");
    } else if (name == "thread_name") {
      if (!is_rank_0s_own(event)) (void)worker_of(event);
    } else if (name == "rankpool run") {
      if (args.at("format") != 1) {
        throw report_error(in_quotes(run_.file) + " has another format; use the version of rankpool that wrote it, " +
                           args.at("version").get<std::string>());
      }
      run_.version = args.at("version");
      run_.mpi = args.at("mpi");
      run_.command = args.at("command");
      run_.host = args.at("host");
      run_.started = args.at("started").get<double>();
      is_inline_ = args.at("inline");
      if (!is_inline_) run_.rank_0 = run_data::own_work{};
    } else if (name == "rankpool function") {
      run_data::function& f = run_.functions[function_of(args.at("function"))];
      f.tasks = args.at("tasks");
      f.failed = args.at("failed");
      f.chunks = args.at("chunks");
      f.busy = seconds(args.at("busy_us"));
      for (const json& each : args.at("times_us")) f.times.emplace_back(seconds(each.at(0)), each.at(1));
    } else if (name == "rankpool worker") {
      run_data::worker& w = run_.workers[worker_of(event)];
      w.tasks = args.at("tasks");
      w.failed = args.at("failed");
      w.chunks = args.at("chunks");
      w.recalled = args.at("recalled");
      w.busy = seconds(args.at("busy_us"));
      w.cpu = seconds(args.at("cpu_us"));
    } else if (name == "rankpool slow tasks") {
      run_.slowest.push_back({.function = function_of(args.at("function")),
                              .worker = worker_of(event),
                              .first = args.at("first"),
                              .tasks = args.at("tasks"),
                              .begin = seconds(args.at("begin_us")),
                              .taken = seconds(args.at("taken_us"))});
    } else if (name == "rankpool end") {
      run_.is_complete = true;
      run_.seconds = seconds(args.at("end_us"));
      run_.dropped_events = args.at("dropped");
      run_.ending = args.at("ending");
    }
  }

  void take_slice(const json& event) {
    const double begin = seconds(event.at("ts"));
    const double end = begin + seconds(event.at("dur"));
    const json& args = event.at("args");
    latest_ = std::max(latest_, end);
    if (is_rank_0s_own(event)) {
      run_data::own_work& own = *run_.rank_0;
      own.receiving += seconds(args.at("receiving_us"));
      own.scheduling += seconds(args.at("scheduling_us"));
      own.sending += seconds(args.at("sending_us"));
      own.callbacks += seconds(args.at("callbacks_us"));
      return;
    }
    const std::size_t worker = worker_of(event);
    const std::size_t function = function_of(event.at("name"));
    const double busy = seconds(args.at("busy_us"));
    const std::uint64_t tasks = args.at("tasks");
    run_.when_busy.add(worker, begin, end, busy, static_cast<std::uint32_t>(function), tasks);

    run_data::worker& w = run_.workers[worker];
    if (w.last == 0) w.first = begin;
    w.last = std::max(w.last, end);
    if (sums_.size() <= std::max(worker, function)) sums_.resize(std::max(worker, function) + 1);
    for (run_data::function* sum : {&sums_[worker].of_worker, &sums_[function].of_function}) {
      sum->tasks += tasks;
      sum->failed += args.value("failed", std::uint64_t{0});
      sum->chunks += args.at("chunks").get<std::uint64_t>();
      sum->busy += busy;
    }
  }

  // The totals of a run that has not written them: of the slices. The times of single tasks are not known.
  void total_up_slices() {
    sums_.resize(std::max({sums_.size(), run_.workers.size(), run_.functions.size()}));
    for (std::size_t i = 0; i < run_.workers.size(); ++i) {
      const run_data::function& sum = sums_[i].of_worker;
      run_data::worker& w = run_.workers[i];
      std::tie(w.tasks, w.failed, w.chunks, w.busy) = std::tie(sum.tasks, sum.failed, sum.chunks, sum.busy);
    }
    for (std::size_t i = 0; i < run_.functions.size(); ++i) {
      const run_data::function& sum = sums_[i].of_function;
      run_data::function& f = run_.functions[i];
      std::tie(f.tasks, f.failed, f.chunks, f.busy) = std::tie(sum.tasks, sum.failed, sum.chunks, sum.busy);
    }
  }

  void take_counter(const json& event) {
    const std::string name = event.at("name");
    const json& args = event.at("args");
    const double when = seconds(event.at("ts"));
    latest_ = std::max(latest_, when);
    if (name == "tasks at workers") {
      run_.samples.push_back({when, args.at("tasks")});
    } else if (name == "messages") {
      run_.messages = args.at("sent").get<std::uint64_t>() + args.at("received").get<std::uint64_t>();
    } else if (name == "message bytes") {
      run_.message_bytes = args.at("sent").get<double>() + args.at("received").get<double>();
    } else if (args.contains("MiB")) {
      run_.most_resident_mib = std::max(run_.most_resident_mib, args.at("MiB").get<double>());
    }
  }

  void take_instant(const json& event) {
    const std::size_t worker = worker_of(event);
    const double when = seconds(event.at("ts"));
    const json& args = event.at("args");
    latest_ = std::max(latest_, when);
    if (event.at("name") == "failed") {
      run_.failures.push_back({.function = function_of(args.at("function")),
                               .worker = worker,
                               .item = args.at("item"),
                               .when = when,
                               .error = args.at("error"),
                               .stack = args.value("stack", "")});
    } else if (event.at("name") == "worker lost") {
      run_.workers[worker].lost = {.when = when, .cause = args.at("cause"), .tasks = args.at("unfinished_tasks")};
    }
  }

  struct sums {
    run_data::function of_worker;
    run_data::function of_function;
  };

  run_data run_;
  std::map<int, std::string> hosts_;    // by process of the trace
  std::map<int, std::size_t> workers_;  // by rank
  std::map<std::string, std::size_t> functions_;
  std::vector<sums> sums_;
  bool is_inline_ = false;
  double latest_ = 0;
};

}  // namespace

run_data read_trace(const std::string& file) {
  line_reader lines(file);
  trace_events events(file);
  const std::string what_it_is = in_quotes(file) + " is neither a trace nor a journal of rankpool";
  std::string line;
  if (!lines.next(line) || line != "[") throw report_error(what_it_is);
  bool is_first = true;
  bool is_cut = false;  // the run was killed while it wrote a line
  for (std::uint64_t number = 2; lines.next(line); ++number) {
    if (line.empty() || line == "]") continue;
    const auto damaged = [&](const std::string& why) {
      return report_error(in_quotes(file) + " is damaged in line " + std::to_string(number) + ": " + why);
    };
    if (is_cut) throw damaged("the line before is incomplete");
    if (line.ends_with(',')) line.pop_back();
    const json event = json::parse(line, nullptr, false);
    if (is_first && (!event.is_object() || event.value("name", "") != "rankpool run")) throw report_error(what_it_is);
    is_first = false;
    if (event.is_discarded()) {
      is_cut = true;
      continue;
    }
    try {
      events.take(event);
    } catch (const json::exception& error) {
      throw damaged(error.what());
    }
  }
  if (is_first) throw report_error(what_it_is);
  return events.finish();
}

}  // namespace jobs
