// The drawings of a report, as paths of SVG. The page gives them size and colour; texts are not part of them, because they would be
// stretched.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/run_data.hpp"

namespace jobs {

/// Functions beyond the first ones share the last colour.
constexpr std::size_t function_colors = 6;

/// The functions of a run, in descending order of their time.
struct color_table {
  explicit color_table(const run_data& run);

  std::vector<std::size_t> order;   ///< numbers of functions
  std::vector<std::size_t> colors;  ///< of each function, below function_colors
};

struct path {
  std::string style;  ///< classes of the page's style sheet
  std::string d;      ///< as in SVG
};

/// Rows of the timeline that belong together: the workers of a node, or all nodes if there are too many workers.
struct timeline_block {
  std::string name;
  std::vector<std::string> rows;  ///< labels
  std::vector<path> paths;        ///< a row is 1 high
};
struct timeline {
  std::size_t columns = 1;  ///< the width of all blocks
  bool is_by_node = false;  ///< a row is the mean of a node's workers, or of several nodes'
  std::vector<timeline_block> blocks;
};
timeline draw_timeline(const run_data& run, const color_table& colors);

/// A curve or bars over a width of `columns` and a height of 100.
struct plot {
  std::size_t columns = 1;
  double most = 0;  ///< the value at the height 100
  std::vector<path> paths;
};
/// Draws the tasks per second over time.
plot draw_throughput(const run_data& run);
/// Draws the number of workers that computed over time.
plot draw_busy_workers(const run_data& run);

/// The times of tasks as bars.
struct histogram : plot {
  std::vector<double> limits;  ///< of some equidistant columns, from the first to the last, in seconds
};
histogram draw_times(const run_data& run, const color_table& colors);

}  // namespace jobs
