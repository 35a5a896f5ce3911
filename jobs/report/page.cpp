#include "report/page.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <kainjow/mustache.hpp>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "report/findings.hpp"
#include "report/page_template.hpp"
#include "report/plots.hpp"
#include "support/in_quotes.hpp"
#include "support/in_words.hpp"

namespace jobs {
namespace {

using kainjow::mustache::data;
using seconds = std::chrono::duration<double>;

constexpr std::size_t most_failures_shown = 100;
constexpr std::size_t most_workers_shown = 1000;  // in the table of workers

std::string time_text(double time) { return time == 0 ? "0 s" : in_words(seconds(time)); }

std::string date_text(double since_1970) {
  const auto since = std::chrono::duration_cast<std::chrono::system_clock::duration>(seconds(since_1970));
  std::string text = iso_time(std::chrono::system_clock::time_point(since));
  std::ranges::replace(text, 'T', ' ');
  return text.substr(0, text.find('.')) + " UTC";
}

template <class Range, class Make>
data list(const Range& range, Make make) {
  data all = data::type::list;
  for (const auto& each : range) all.push_back(make(each));
  return all;
}

data texts(const std::vector<std::string>& all) {
  return list(all, [](const std::string& text) { return data(text); });
}

std::string worker_text(const run_data& run, std::size_t worker) {
  const run_data::worker& w = run.workers[worker];
  return std::to_string(w.rank) + " on " + printable(w.host);
}

// ---- figures

data figures_of(const run_data& run) {
  data all = data::type::list;
  const auto add = [&](const std::string& name, const std::string& value, bool is_bad = false) {
    data figure;
    figure["name"] = name;
    figure["value"] = value;
    figure["bad"] = is_bad;
    all.push_back(figure);
  };
  std::map<std::string, int> hosts;
  for (const auto& w : run.workers) ++hosts[w.host];
  const std::uint64_t failed = run.failed();
  const std::uint64_t lost = run.lost_workers();
  add(run.is_journal ? "from the first task to the last" : "wall time", time_text(run.seconds));
  add(run.workers.size() == 1 ? "worker" : "workers",
      grouped(run.workers.size()) + (hosts.size() > 1 ? " on " + counted(hosts.size(), "node") : ""));
  add("busy share: time of workers in tasks", percent_in_words(run.busy_share()));
  add("time in tasks, all workers", time_text(run.busy()));
  if (run.cpu() > 0) add("CPU time of the workers", time_text(run.cpu()));
  add("finished tasks", grouped(run.tasks()));
  if (run.seconds > 0) add("tasks per second", in_words(static_cast<double>(run.tasks()) / run.seconds));
  add("failed tasks", grouped(failed), failed > 0);
  add("lost workers", grouped(lost), lost > 0);
  if (run.recalled() > 0) add("tasks moved to other workers", grouped(run.recalled()));
  if (run.rank_0)
    add("of the time, rank 0 worked for the pool", percent_in_words(run.seconds > 0 ? run.rank_0->total() / run.seconds : 0));
  if (run.messages > 0) add("messages, " + bytes_in_words(run.message_bytes), grouped(run.messages));
  if (run.most_resident_mib > 0) add("most memory of rank 0", bytes_in_words(run.most_resident_mib * 1024 * 1024));
  return all;
}

// ---- plots

std::vector<std::string> time_labels(double end) {
  std::vector<std::string> labels;
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) labels.push_back(time_text(share * end));
  return labels;
}

/// The end of the time axis: that of the last column.
double end_of(const run_data& run, std::size_t columns) {
  return static_cast<double>(columns) * run.when_busy.seconds_per_column();
}

data paths_of(const std::vector<path>& paths) {
  return list(paths, [](const path& each) {
    data one;
    one["style"] = each.style;
    one["d"] = each.d;
    return one;
  });
}

data timeline_of(const run_data& run, const color_table& colors) {
  const timeline drawn = draw_timeline(run, colors);
  std::size_t rows = 0;
  for (const auto& block : drawn.blocks) rows += block.rows.size();
  const std::size_t height = rows <= 40 ? 18 : rows <= 100 ? 8 : 4;  // in pixels
  const std::size_t label_height = 18;
  data section;
  section["rows_are"] = drawn.is_by_node ? "A row is a node, or several nodes: the mean of their workers." : "A row is a worker.";
  section["columns"] = std::to_string(drawn.columns);
  section["height"] = std::to_string(label_height);
  section["times"] = texts(time_labels(end_of(run, drawn.columns)));
  section["has_bad"] = !drawn.is_by_node && run.failed() + run.lost_workers() > 0;
  data functions = data::type::list;
  for (std::size_t i = 0; i < std::min(colors.order.size(), function_colors); ++i) {
    const bool is_rest = i + 1 == function_colors && colors.order.size() > function_colors;
    data one;
    one["color"] = std::to_string(i);
    one["name"] = is_rest ? std::string("other functions") : printable(run.functions[colors.order[i]].name);
    functions.push_back(one);
  }
  section["functions"] = std::move(functions);
  section["blocks"] = list(drawn.blocks, [&](const timeline_block& block) {
    data one;
    const std::size_t svg_height = std::max(block.rows.size() * height, label_height);
    one["name"] = block.name.empty() ? data(false) : data(printable(block.name));
    one["rows"] = std::to_string(block.rows.size());
    one["svg_height"] = std::to_string(svg_height);
    one["paths"] = paths_of(block.paths);
    // Low rows: only so many have a label that the labels fit.
    const std::size_t every = (label_height + height - 1) / height;
    one["step"] = std::to_string(height * every);
    data labels = data::type::list;
    for (std::size_t i = 0; i < block.rows.size(); i += every) {
      data label;
      label["text"] = printable(block.rows[i]);
      labels.push_back(label);
    }
    one["labels"] = std::move(labels);
    return one;
  });
  return section;
}

data plots_of(const run_data& run, const color_table& colors) {
  data all = data::type::list;
  const auto add = [&](const plot& drawn, const std::string& caption, const std::string& most,
                       const std::vector<std::string>& labels) {
    data one;
    one["caption"] = caption;
    one["most"] = most;
    one["columns"] = std::to_string(drawn.columns);
    one["paths"] = paths_of(drawn.paths);
    one["labels"] = texts(labels);
    all.push_back(one);
  };
  const plot rate = draw_throughput(run);
  const std::vector<std::string> times = time_labels(end_of(run, rate.columns));
  add(rate, "Tasks per second, over time", "at most " + in_words(rate.most), times);
  const plot busy = draw_busy_workers(run);
  add(busy, "Workers that computed, over time", "of " + in_words(busy.most), times);
  const histogram classes = draw_times(run, colors);
  if (!classes.limits.empty()) {
    std::vector<std::string> limits;
    for (const double limit : classes.limits) limits.push_back(in_words(seconds(limit)));
    add(classes, "Tasks by the time that one takes", "at most " + in_words(classes.most) + " tasks in a class", limits);
  }
  return all;
}

// ---- tables

/// A table of the page.
class table {
 public:
  explicit table(const std::string& heading, const std::string& note = {}, bool is_folded = false) {
    data_["heading"] = heading;
    if (!note.empty()) data_["note"] = note;
    data_["folded"] = is_folded;
  }

  void add_column(const std::string& name, bool is_text = false) {
    data column;
    column["name"] = name;
    column["is_text"] = is_text;
    columns_.push_back(column);
    is_text_.push_back(is_text);
  }
  /// `stack`: shown on demand below the last cell.
  void add_row(const std::vector<std::string>& cells, const std::string& stack = {}) {
    data all = data::type::list;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      data cell;
      cell["text"] = cells[i];
      cell["is_text"] = static_cast<bool>(is_text_[i]);
      cell["stack"] = stack.empty() || i + 1 < cells.size() ? data(false) : data(stack);
      all.push_back(cell);
    }
    data row;
    row["cells"] = std::move(all);
    rows_.push_back(row);
  }
  data take() {
    data_["columns"] = std::move(columns_);
    data_["rows"] = std::move(rows_);
    return data_;
  }

 private:
  data data_;
  data columns_ = data::type::list;
  data rows_ = data::type::list;
  std::vector<bool> is_text_;
};

data functions_table(const run_data& run, const color_table& colors) {
  table functions("Tasks by function", "A chunk is what was sent to a worker at once.");
  functions.add_column("Function", true);
  for (const char* name : {"Tasks", "Failed", "Chunks", "Time", "Mean", "Median", "99 %"}) functions.add_column(name);
  for (const std::size_t number : colors.order) {
    const run_data::function& f = run.functions[number];
    const auto below = [&](double share) { return f.times.empty() ? std::string("unknown") : time_text(quantile(f.times, share)); };
    const double mean = f.tasks == 0 ? 0 : f.busy / static_cast<double>(f.tasks);
    functions.add_row({printable(f.name), grouped(f.tasks), grouped(f.failed), grouped(f.chunks), time_text(f.busy),
                       time_text(mean), below(0.5), below(0.99)});
  }
  return functions.take();
}

/// A row for workers together: of a node, or one worker.
std::vector<std::string> cells_of(const std::vector<const run_data::worker*>& workers, double run_seconds) {
  run_data::worker sum;
  for (const run_data::worker* w : workers) {
    sum.tasks += w->tasks;
    sum.failed += w->failed;
    sum.busy += w->busy;
    sum.cpu += w->cpu;
    sum.recalled += w->recalled;
  }
  const double time = run_seconds * static_cast<double>(workers.size());
  return {grouped(sum.tasks),
          grouped(sum.failed),
          grouped(sum.recalled),
          time_text(sum.busy),
          percent_in_words(time > 0 ? std::min(1.0, sum.busy / time) : 0),
          time_text(sum.cpu)};
}

void add_work_columns(table& to) {
  for (const char* name : {"Tasks", "Failed", "Moved away", "Time in tasks", "Busy", "CPU"}) to.add_column(name);
}

data nodes_table(const run_data& run) {
  table nodes("Nodes");
  nodes.add_column("Host", true);
  nodes.add_column("Ranks", true);
  add_work_columns(nodes);
  std::vector<std::pair<std::string, std::vector<const run_data::worker*>>> hosts;
  std::map<std::string, std::size_t> numbers;
  for (const auto& w : run.workers) {
    const auto [found, is_new] = numbers.try_emplace(w.host, hosts.size());
    if (is_new) hosts.push_back({w.host, {}});
    hosts[found->second].second.push_back(&w);
  }
  for (const auto& [host, workers] : hosts) {
    std::string ranks;
    for (std::size_t i = 0; i < workers.size();) {  // as ranges
      std::size_t end = i + 1;
      while (end < workers.size() && workers[end]->rank == workers[end - 1]->rank + 1) ++end;
      ranks += (ranks.empty() ? "" : ", ") + std::to_string(workers[i]->rank);
      if (end - i > 1) ranks += "–" + std::to_string(workers[end - 1]->rank);
      i = end;
    }
    std::vector<std::string> cells{printable(host), ranks};
    std::ranges::move(cells_of(workers, run.seconds), std::back_inserter(cells));
    nodes.add_row(cells);
  }
  return nodes.take();
}

data workers_table(const run_data& run) {
  const bool is_cut = run.workers.size() > most_workers_shown;
  table workers("Workers", is_cut ? "The first " + grouped(most_workers_shown) + " of " + grouped(run.workers.size()) + "." : "",
                true);
  workers.add_column("Rank and host", true);
  add_work_columns(workers);
  workers.add_column("Lost", true);
  for (std::size_t i = 0; i < std::min(run.workers.size(), most_workers_shown); ++i) {
    const run_data::worker& w = run.workers[i];
    std::vector<std::string> cells{worker_text(run, i)};
    std::ranges::move(cells_of({&w}, run.seconds), std::back_inserter(cells));
    cells.push_back(w.lost ? "after " + time_text(w.lost->when) + ": its process " + printable(w.lost->cause) + "; " +
                                 counted(w.lost->tasks, "unfinished task")
                           : "");
    workers.add_row(cells);
  }
  return workers.take();
}

/// Returns what the numbers of items mean.
std::string numbers_text(const run_data& run) {
  return run.is_journal ? "Items count from 0." : "Items of a map count from 0, submitted tasks from 1.";
}

data slowest_table(const run_data& run) {
  table slowest("Slowest tasks", "Tasks of one chunk are shown together, with their mean time. " + numbers_text(run));
  for (const char* name : {"Function", "Items"}) slowest.add_column(name, true);
  for (const char* name : {"Time of one", "Time", "Began after"}) slowest.add_column(name);
  slowest.add_column("Rank", true);
  for (const auto& each : run.slowest) {
    slowest.add_row({printable(run.functions[each.function].name), items_in_words(each.first, each.tasks),
                     time_text(each.seconds_per_task()), time_text(each.taken), time_text(each.begin),
                     worker_text(run, each.worker)});
  }
  return slowest.take();
}

data failures_table(const run_data& run) {
  const std::size_t shown = std::min(run.failures.size(), most_failures_shown);
  table failures("Failures", (run.failed() > shown ? "The first " + grouped(shown) + " of " + grouped(run.failed()) + ". " : "") +
                                 numbers_text(run));
  for (const char* name : {"Function", "Item"}) failures.add_column(name, true);
  failures.add_column("After");
  for (const char* name : {"Rank", "Error"}) failures.add_column(name, true);
  for (std::size_t i = 0; i < shown; ++i) {
    const run_data::failure& f = run.failures[i];
    failures.add_row({printable(run.functions[f.function].name), std::to_string(f.item), time_text(f.when),
                      worker_text(run, f.worker), printable(f.error)},
                     f.stack);
  }
  return failures.take();
}

// ---- the page

std::string command_of(const run_data& run) {
  std::string line;
  for (const std::string& word : run.command) {
    if (!line.empty()) line += ' ';
    const bool is_plain = !word.empty() && word.find_first_of(" \t\n'\"\\$&|;<>(){}*?#~`!") == word.npos;
    if (is_plain || run.is_journal) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return printable(line);
}

std::string origin_of(const run_data& run) {
  std::string text = run.started ? std::string("Started ").append(date_text(*run.started)) : std::string("No task has finished");
  if (!run.host.empty()) text += " on " + printable(run.host);
  if (run.file.empty()) return text;
  return text + (run.is_journal ? "; from the journal " : "; from the trace ") + printable(run.file);
}

/// Returns what to say if nothing stands out.
std::string without_findings(const run_data& run) {
  if (run.tasks() == 0) return "No task ran.";
  if (run.is_journal) return "No task failed, and no worker was lost or slow.";
  const double idle = 1 - run.busy_share();
  if (idle < 0.1) return "Nothing stands out: workers computed most of the time, and no task failed.";
  return "No task failed. Workers were idle for " + percent_in_words(idle) + " of the time; no single cause stands out.";
}

std::string versions_of(const run_data& run) {
  if (run.version.empty()) return "A journal does not tell idle times: the busy share counts pauses between runs as idle.";
  return "rankpool " + run.version + (run.mpi.empty() ? "" : ", " + printable(run.mpi));
}

std::string title_of(const run_data& run) {
  if (run.command.empty()) return "rankpool";
  if (run.is_journal) return printable(run.command.front());
  const std::string& program = run.command.front();
  std::string title = program.substr(program.rfind('/') + 1);
  if (run.command.size() > 1 && !run.command[1].starts_with('-')) title += ' ' + run.command[1];
  return printable(title);
}

}  // namespace

std::string page_of(const run_data& run) {
  const color_table colors(run);
  data page;
  page["title"] = title_of(run);
  page["command"] = run.command.empty() ? data(false) : data(command_of(run));
  page["origin"] = origin_of(run);
  page["versions"] = versions_of(run);
  page["figures"] = figures_of(run);
  const std::vector<std::string> found = findings(run);
  page["findings"] = texts(found);
  page["no_finding"] = found.empty() ? data(without_findings(run)) : data(false);
  data tables = data::type::list;
  if (run.tasks() > 0) {
    page["timeline"] = timeline_of(run, colors);
    page["plots"] = plots_of(run, colors);
    tables.push_back(functions_table(run, colors));
  }
  if (!run.failures.empty()) tables.push_back(failures_table(run));
  if (!run.slowest.empty()) tables.push_back(slowest_table(run));
  if (!run.workers.empty()) {
    tables.push_back(nodes_table(run));
    tables.push_back(workers_table(run));
  }
  page["tables"] = std::move(tables);
  kainjow::mustache::mustache form{std::string(page_template)};
  if (!form.is_valid()) throw std::logic_error("the template of the page: " + form.error_message());
  return form.render(page);
}

}  // namespace jobs
