#include "report/plots.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <sstream>
#include <utility>

namespace jobs {
namespace {

constexpr std::size_t most_rows = 200;
constexpr std::size_t levels = 4;  // of a column's brightness

std::string color_style(std::size_t color) { return std::string("f").append(std::to_string(color)); }

std::size_t level_of(double busy_share) {
  if (busy_share < 0.02) return 0;
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(busy_share * levels - 0.125)), 1, levels);
}

/// Draws runs of equal columns as horizontal lines, one path for each style.
class row_painter {
 public:
  void line(const std::string& style, std::size_t from, std::size_t to, std::size_t row) {
    paths_[style] << 'M' << from << ' ' << row << ".5h" << to - from;
  }
  void mark(const std::string& style, std::size_t at, std::size_t row) { paths_[style] << 'M' << at << ".5 " << row << "v1"; }
  std::vector<path> take() {
    std::vector<path> all;
    for (const auto& [style, d] : paths_) all.push_back({style, d.str()});
    return all;
  }

 private:
  std::map<std::string, std::ostringstream> paths_;
};

void draw_row(row_painter& painter, const activity::row& columns, std::size_t number, double full, const color_table& colors,
              std::size_t row) {
  const auto style_of = [&](std::size_t i) -> std::string {
    const std::size_t level = level_of(columns[i].busy / full);
    if (level == 0 || columns[i].function >= colors.colors.size()) return {};
    return color_style(colors.colors[columns[i].function]).append(" l").append(std::to_string(level));
  };
  for (std::size_t i = 0; i < std::min(number, columns.size());) {
    const std::string style = style_of(i);
    std::size_t end = i + 1;
    while (end < std::min(number, columns.size()) && style_of(end) == style) ++end;
    if (!style.empty()) painter.line(style, i, end, row);
    i = end;
  }
}

/// The numbers of the workers of each host, in the order of their ranks.
std::vector<std::pair<std::string, std::vector<std::size_t>>> by_host(const run_data& run) {
  std::vector<std::pair<std::string, std::vector<std::size_t>>> hosts;
  std::map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < run.workers.size(); ++i) {
    const auto [found, is_new] = numbers.try_emplace(run.workers[i].host, hosts.size());
    if (is_new) hosts.push_back({run.workers[i].host, {}});
    hosts[found->second].second.push_back(i);
  }
  return hosts;
}

activity::row sum_of(const activity& when, const std::vector<std::size_t>& workers) {
  activity::row sum(activity::columns);
  for (const std::size_t w : workers) {
    const activity::row& row = when.of(w);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i].busy > sum[i].busy) sum[i].function = row[i].function;
      sum[i].busy += row[i].busy;
    }
  }
  return sum;
}

plot draw_area(std::vector<double> values, const std::string& style, double most) {
  plot drawn{.columns = values.size(), .most = most, .paths = {}};
  if (most <= 0) return drawn;
  std::ostringstream d;
  d << "M0 100";
  for (std::size_t i = 0; i < values.size(); ++i) {
    d << 'L' << i << ' ' << 100 - 100 * values[i] / most << "h1";
  }
  d << "V100Z";
  drawn.paths.push_back({style, d.str()});
  return drawn;
}

}  // namespace

color_table::color_table(const run_data& run) : order(run.functions.size()), colors(run.functions.size()) {
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t f) { return std::pair(-run.functions[f].busy, f); });
  for (std::size_t i = 0; i < order.size(); ++i) colors[order[i]] = std::min(i, function_colors - 1);
}

timeline draw_timeline(const run_data& run, const color_table& colors) {
  const activity& when = run.when_busy;
  const double width = when.seconds_per_column();
  timeline drawn{.columns = when.columns_until(run.seconds), .is_by_node = run.workers.size() > most_rows, .blocks = {}};
  const auto hosts = by_host(run);
  if (drawn.is_by_node) {
    const std::size_t together = (hosts.size() + most_rows - 1) / most_rows;
    row_painter painter;
    timeline_block block;
    for (std::size_t first = 0; first < hosts.size(); first += together) {
      const std::size_t last = std::min(first + together, hosts.size()) - 1;
      std::vector<std::size_t> workers;
      for (std::size_t i = first; i <= last; ++i) workers.insert(workers.end(), hosts[i].second.begin(), hosts[i].second.end());
      draw_row(painter, sum_of(when, workers), drawn.columns, width * static_cast<double>(workers.size()), colors,
               block.rows.size());
      block.rows.push_back(first == last ? hosts[first].first : hosts[first].first + " to " + hosts[last].first);
    }
    block.paths = painter.take();
    drawn.blocks.push_back(std::move(block));
    return drawn;
  }
  std::vector<std::pair<std::size_t, std::size_t>> rows(run.workers.size());  // block and row of each worker
  std::vector<row_painter> painters(hosts.size());
  const auto column_at = [&](double time) { return std::min(static_cast<std::size_t>(time / width), drawn.columns - 1); };
  for (std::size_t b = 0; b < hosts.size(); ++b) {
    timeline_block& block = drawn.blocks.emplace_back();
    block.name = hosts[b].first;
    for (const std::size_t w : hosts[b].second) {
      rows[w] = {b, block.rows.size()};
      draw_row(painters[b], when.of(w), drawn.columns, width, colors, block.rows.size());
      if (run.workers[w].lost) painters[b].line("lost", column_at(run.workers[w].lost->when), drawn.columns, block.rows.size());
      block.rows.push_back(std::string("rank ").append(std::to_string(run.workers[w].rank)));
    }
  }
  for (const auto& f : run.failures) painters[rows[f.worker].first].mark("failed", column_at(f.when), rows[f.worker].second);
  for (std::size_t b = 0; b < hosts.size(); ++b) drawn.blocks[b].paths = painters[b].take();
  return drawn;
}

plot draw_throughput(const run_data& run) {
  const activity& when = run.when_busy;
  std::vector<double> values(when.tasks().begin(),
                             when.tasks().begin() + static_cast<std::ptrdiff_t>(when.columns_until(run.seconds)));
  for (double& v : values) v /= when.seconds_per_column();
  const double most = *std::ranges::max_element(values);
  return draw_area(std::move(values), "rate", most);
}

plot draw_busy_workers(const run_data& run) {
  const activity& when = run.when_busy;
  std::vector<double> values(when.columns_until(run.seconds));
  for (std::size_t w = 0; w < when.workers(); ++w) {
    const activity::row& row = when.of(w);
    for (std::size_t i = 0; i < std::min(values.size(), row.size()); ++i) values[i] += row[i].busy / when.seconds_per_column();
  }
  const double most = std::max(static_cast<double>(run.workers.size()), *std::ranges::max_element(values));
  return draw_area(std::move(values), "busy", most);
}

histogram draw_times(const run_data& run, const color_table& colors) {
  const auto class_of = [](double limit) { return static_cast<int>(std::lround(2 * std::log2(limit))); };
  std::map<int, std::array<double, function_colors>> classes;  // tasks by colour
  for (std::size_t f = 0; f < run.functions.size(); ++f) {
    for (const auto& [limit, tasks] : run.functions[f].times) {
      classes[class_of(limit)][colors.colors[f]] += static_cast<double>(tasks);
    }
  }
  histogram drawn;
  if (classes.empty()) return drawn;
  const int first = classes.begin()->first;
  const int last = classes.rbegin()->first;
  drawn.columns = static_cast<std::size_t>(last - first + 1);
  for (const auto& [number, tasks] : classes) drawn.most = std::max(drawn.most, std::accumulate(tasks.begin(), tasks.end(), 0.0));
  for (std::size_t color = 0; color < function_colors; ++color) {
    std::ostringstream d;
    for (const auto& [at, tasks] : classes) {
      if (tasks[color] <= 0) continue;
      const double below = std::accumulate(tasks.begin(), tasks.begin() + static_cast<std::ptrdiff_t>(color), 0.0);
      const double height = 100 * tasks[color] / drawn.most;
      d << 'M' << at - first + 0.04 << ' ' << 100 - 100 * below / drawn.most - height << "h0.92v" << height << "h-0.92Z";
    }
    if (d.tellp() > 0) drawn.paths.push_back({color_style(color), d.str()});
  }
  constexpr std::size_t most_labels = 5;
  const std::size_t labels = std::min(most_labels, drawn.columns + 1);
  for (std::size_t i = 0; i < labels; ++i) {
    const double at = static_cast<double>(drawn.columns) * static_cast<double>(i) / static_cast<double>(labels - 1);
    drawn.limits.push_back(std::exp2((first + at) / 2));
  }
  return drawn;
}

}  // namespace jobs
