#include "top/page.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/in_quotes.hpp"
#include "support/in_words.hpp"

namespace jobs {
namespace {

std::string title(const run_status& status) {
  std::string text = printable(status.job) + ": " + std::string(name_of(status.is));
  if (!status.error.empty()) text += ": " + printable(status.error);
  return text;
}

std::string command_text(const run_status& status) {
  std::string text = "rankpool";
  for (const std::string& word : status.command) text += ' ' + printable(word);
  return text;
}

std::string resources(const run_status& status) {
  std::string text = "CPU time " + clock_text(status.cpu_seconds) + ", rank 0 on " + printable(status.host) + " (pid " +
                     std::to_string(status.pid) + ") uses " + bytes_in_words(static_cast<double>(status.resident_bytes));
  if (status.figures.restored > 0) text += ", " + grouped(status.figures.restored) + " restored from the journal";
  return text;
}

/// Returns the percentage rounded down, so that 100 % means all.
std::string percent_done(const run_figures& figures) {
  const double share = static_cast<double>(figures.done) / static_cast<double>(figures.total);
  return percent_in_words(std::floor(100 * share) / 100);
}

/// Breaks a list at its commas, so that lines fit into the columns where they can.
std::vector<std::string> wrapped(const std::string& list, std::size_t columns) {
  std::vector<std::string> lines{""};
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t comma = list.find(", ", at);
    const std::size_t end = comma == list.npos ? list.size() : comma + 2;
    if (!lines.back().empty() && lines.back().size() + end - at > columns) lines.emplace_back();
    lines.back().append(list, at, end - at);
    at = end;
  }
  return lines;
}

using table = std::vector<std::vector<std::string>>;

table rows_of(const run_status& status) {
  table rows;
  if (!status.nodes.empty()) {
    rows.push_back({"host", "workers", "tasks", "busy", "CPU time", ""});
    for (const auto& n : status.nodes) {
      rows.push_back({printable(n.host), grouped(static_cast<std::uint64_t>(std::max(0, n.workers))), grouped(n.tasks),
                      percent_in_words(n.busy_share), clock_text(n.cpu_seconds),
                      n.workers_lost > 0 ? std::to_string(n.workers_lost) + " lost" : ""});
    }
    return rows;
  }
  rows.push_back({"host", "rank", "tasks", "busy", "CPU time", ""});
  for (const auto& w : status.workers) {
    rows.push_back({printable(w.host), std::to_string(w.rank), grouped(w.tasks), percent_in_words(w.busy_share),
                    clock_text(w.cpu_seconds), w.lost ? "lost" : ""});
  }
  return rows;
}

/// Returns the rows with aligned columns: the first to the left, the others to the right, except for the last.
std::vector<std::string> aligned(const table& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line = row.front() + std::string(widths.front() - row.front().size(), ' ');
    for (std::size_t c = 1; c + 1 < row.size(); ++c) line += "  " + std::string(widths[c] - row[c].size(), ' ') + row[c];
    if (!row.back().empty()) line += "  " + row.back();
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

std::string cut_to(const std::string& text, std::size_t columns) {
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size(); ++end) {
    const bool begins_character = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (begins_character && characters++ == columns) break;
  }
  return text.substr(0, end);
}

std::string status_page(const run_status& status, const std::string& notice, page_size size) {
  constexpr std::size_t longest_bar = 40;
  std::vector<std::string> lines{title(status), command_text(status)};
  if (!notice.empty()) lines.push_back(notice);
  if (const std::string bar = progress_bar(status.figures, std::min(longest_bar, std::max<std::size_t>(size.columns, 10) - 10));
      !bar.empty()) {
    lines.push_back(bar + ' ' + percent_done(status.figures));
  }
  for (const std::string& text : {progress_text(status.figures), resources(status)}) {
    for (const std::string& line : wrapped(text, size.columns)) lines.push_back(line);
  }
  lines.emplace_back();
  for (const std::string& row : aligned(rows_of(status))) lines.push_back(row);
  if (lines.size() > size.rows) {
    const std::size_t hidden = lines.size() - size.rows + 1;
    lines.resize(size.rows - std::min<std::size_t>(size.rows, 1));
    lines.push_back("... and " + std::to_string(hidden) + " more lines; enlarge the terminal, or use --once");
  }
  std::string page;
  for (const std::string& line : lines) page += cut_to(line, size.columns) + '\n';
  return page;
}

}  // namespace jobs
