// The state of a run as a page of text.
#pragma once

#include <cstddef>
#include <limits>
#include <string>

#include "engine/run_status.hpp"

namespace jobs {

struct page_size {
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  std::size_t columns = unlimited;
  std::size_t rows = unlimited;
};

/// Returns the state as lines, each with a newline: the run, its progress, then a row per worker or node. Lines are cut to the
/// columns. If the rows do not suffice, the last one says how many workers are not shown. `notice`: a line about the state; may be
/// empty.
std::string status_page(const run_status& status, const std::string& notice, page_size size = {});

/// Returns the first `columns` characters of a UTF-8 text.
std::string cut_to(const std::string& text, std::size_t columns);

}  // namespace jobs
