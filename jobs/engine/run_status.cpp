#include "engine/run_status.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/json.hpp"

namespace jobs {
namespace {

using nlohmann::ordered_json;

constexpr int format_version = 1;
constexpr const char* format_key = "rankpool_status";
constexpr std::array<std::pair<run_status::stage, std::string_view>, 4> stages{{{run_status::stage::running, "running"},
                                                                                {run_status::stage::done, "done"},
                                                                                {run_status::stage::failed, "failed"},
                                                                                {run_status::stage::stopped, "stopped"}}};

/// Rounds to a thousandth, so that the file stays short.
double rounded(double value) { return std::round(1000 * value) / 1000; }

/// Returns seconds since 1970.
double seconds_of(run_status::time_point time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

run_status::time_point time_of(double seconds) {
  return run_status::time_point(
      std::chrono::duration_cast<run_status::time_point::duration>(std::chrono::duration<double>(seconds)));
}

double seconds_of(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

double share(std::chrono::nanoseconds busy, std::chrono::nanoseconds idle) {
  const auto all = static_cast<double>((busy + idle).count());
  return all > 0 ? static_cast<double>(busy.count()) / all : 0;
}

ordered_json json_of_worker(const run_status::worker& w) {
  return {{"rank", w.rank},
          {"host", w.host},
          {"lost", w.lost},
          {"tasks", w.tasks},
          {"busy_share", rounded(w.busy_share)},
          {"cpu_seconds", rounded(w.cpu_seconds)}};
}

ordered_json json_of_node(const run_status::node& n) {
  return {{"host", n.host},
          {"workers", n.workers},
          {"workers_lost", n.workers_lost},
          {"tasks", n.tasks},
          {"busy_share", rounded(n.busy_share)},
          {"cpu_seconds", rounded(n.cpu_seconds)}};
}

run_status::worker worker_of(const ordered_json& w) {
  return {.rank = w.at("rank"),
          .host = w.at("host"),
          .lost = w.at("lost"),
          .tasks = w.at("tasks"),
          .busy_share = w.at("busy_share"),
          .cpu_seconds = w.at("cpu_seconds")};
}

run_status::node node_of(const ordered_json& n) {
  return {.host = n.at("host"),
          .workers = n.at("workers"),
          .workers_lost = n.at("workers_lost"),
          .tasks = n.at("tasks"),
          .busy_share = n.at("busy_share"),
          .cpu_seconds = n.at("cpu_seconds")};
}

run_status::stage stage_named(const std::string& name) {
  const auto found = std::ranges::find(stages, name, [](const auto& each) { return each.second; });
  if (found == stages.end()) throw status_error("has an unknown state");
  return found->first;
}

template <class Value>
ordered_json or_null(bool is_known, const Value& value) {
  return is_known ? ordered_json(value) : ordered_json();
}

}  // namespace

std::string_view name_of(run_status::stage stage) {
  return std::ranges::find(stages, stage, [](const auto& each) { return each.first; })->second;
}

void run_status::set_workers(const std::vector<rankpool::worker_info>& infos,
                             const std::vector<rankpool::worker_statistics>& figures, std::size_t most_workers) {
  workers.clear();
  nodes.clear();
  if (infos.size() <= most_workers) {
    for (std::size_t w = 0; w < infos.size(); ++w) {
      workers.push_back({infos[w].rank, infos[w].host, infos[w].lost, figures[w].tasks, share(figures[w].busy, figures[w].idle),
                         seconds_of(figures[w].cpu_time)});
    }
    return;
  }
  std::vector<std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>> times;  // busy and idle, of each node
  for (std::size_t w = 0; w < infos.size(); ++w) {
    auto found = std::ranges::find(nodes, infos[w].host, &node::host);
    if (found == nodes.end()) {
      found = nodes.insert(found, {.host = infos[w].host});
      times.emplace_back();
    }
    ++found->workers;
    found->workers_lost += infos[w].lost ? 1 : 0;
    found->tasks += figures[w].tasks;
    found->cpu_seconds += seconds_of(figures[w].cpu_time);
    auto& [busy, idle] = times[static_cast<std::size_t>(found - nodes.begin())];
    found->busy_share = share(busy += figures[w].busy, idle += figures[w].idle);
  }
}

std::string run_status::to_json() const {
  ordered_json all{
      {format_key, format_version},
      {"job", job},
      {"command", command},
      {"host", host},
      {"pid", pid},
      {"started", rounded(seconds_of(started))},
      {"updated", rounded(seconds_of(updated))},
      {"state", name_of(is)},
      {"error", or_null(!error.empty(), error)},
      {"done", figures.done},
      {"total", or_null(figures.has_total(), figures.total)},
      {"failed", figures.failed},
      {"restored", figures.restored},
      {"retried", figures.retried},
      {"workers_lost", figures.workers_lost},
      {"elapsed_seconds", rounded(figures.elapsed_seconds)},
      {"rate", figures.rate},
      {"remaining_seconds", or_null(figures.remaining_seconds.has_value(), rounded(figures.remaining_seconds.value_or(0)))},
      {"busy_share", rounded(figures.busy_share)},
      {"cpu_seconds", rounded(cpu_seconds)},
      {"resident_bytes", resident_bytes}};
  ordered_json rows = ordered_json::array();
  for (const worker& each : workers) rows.push_back(json_of_worker(each));
  for (const node& each : nodes) rows.push_back(json_of_node(each));
  all[nodes.empty() ? "workers" : "nodes"] = std::move(rows);
  return json_of(all) + "\n";
}

bool run_status::is_status(std::string_view json) {
  const ordered_json all = ordered_json::parse(json, nullptr, false);
  return all.is_object() && all.contains(format_key);
}

run_status run_status::parse(std::string_view json) {
  if (!is_status(json)) throw status_error("is not a status file of rankpool");
  const ordered_json all = ordered_json::parse(json);
  if (all[format_key] != format_version) {
    throw status_error("has status format " + json_of(all[format_key]) + ", and this build of rankpool reads format " +
                       std::to_string(format_version));
  }
  try {
    run_status read;
    read.job = all.at("job");
    read.command = all.at("command").get<std::vector<std::string>>();
    read.host = all.at("host");
    read.pid = all.at("pid");
    read.started = time_of(all.at("started"));
    read.updated = time_of(all.at("updated"));
    read.is = stage_named(all.at("state"));
    if (const auto& error = all.at("error"); !error.is_null()) read.error = error;
    read.figures.done = all.at("done");
    if (const auto& total = all.at("total"); !total.is_null()) read.figures.total = total;
    read.figures.failed = all.at("failed");
    read.figures.restored = all.at("restored");
    read.figures.retried = all.at("retried");
    read.figures.workers_lost = all.at("workers_lost");
    read.figures.elapsed_seconds = all.at("elapsed_seconds");
    read.figures.rate = all.at("rate");
    if (const auto& remaining = all.at("remaining_seconds"); !remaining.is_null()) read.figures.remaining_seconds = remaining;
    read.figures.busy_share = all.at("busy_share");
    read.cpu_seconds = all.at("cpu_seconds");
    read.resident_bytes = all.at("resident_bytes");
    if (all.contains("workers")) {
      for (const auto& each : all["workers"]) read.workers.push_back(worker_of(each));
    } else {
      for (const auto& each : all.at("nodes")) read.nodes.push_back(node_of(each));
    }
    return read;
  } catch (const nlohmann::json::exception&) {
    throw status_error("is damaged: it lacks a part of the state of a run");
  }
}

}  // namespace jobs
