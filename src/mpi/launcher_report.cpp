// Finds the first and the last line of a report in a stream of text.
#include "mpi/launcher_report.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace rankpool::detail {
namespace {

// A report stands between two lines of 74 hyphens. Open MPI writes its other messages in this form too, so the first words decide.
// The first line of hyphens need not begin a line: a worker may have written a line without its end.
#define RANKPOOL_RULE "--------------------------------------------------------------------------\n"
constexpr std::string_view end_of_report = "\n" RANKPOOL_RULE;

struct report {
  std::string_view begin;
  std::string_view end;
};
constexpr std::array reports{
    report{RANKPOOL_RULE "prterun detected that one or more processes exited with non-zero status", end_of_report},
    report{RANKPOOL_RULE "prterun has exited due to process rank ", end_of_report},
    report{RANKPOOL_RULE "prterun noticed that process rank ", end_of_report},
    report{"[warn] Epoll MOD(", "\n"},
};
#undef RANKPOOL_RULE

/// Returns the length of the longest end of `text` with which `pattern` begins.
std::size_t begun_length(std::string_view text, std::string_view pattern) {
  std::size_t length = std::min(text.size(), pattern.size() - 1);
  while (!text.ends_with(pattern.substr(0, length))) --length;
  return length;
}

}  // namespace

std::string launcher_report_filter::pass(std::string_view input) {
  std::string passed;
  kept_ += input;
  for (;;) {
    if (!end_.empty()) {
      const std::size_t found = kept_.find(end_);
      if (found == std::string::npos) {
        kept_.erase(0, kept_.size() - begun_length(kept_, end_));
        return passed;
      }
      kept_.erase(0, found + end_.size());
      end_ = {};
      continue;
    }
    std::size_t found = std::string::npos;
    std::size_t begun = 0;
    std::string_view end;
    for (const report& kind : reports) {
      if (const std::size_t at = kept_.find(kind.begin); at < found) {
        found = at;
        end = kind.end;
      }
      begun = std::max(begun, begun_length(kept_, kind.begin));
    }
    const std::size_t ready = std::min(found, kept_.size() - begun);
    passed.append(kept_, 0, ready);
    kept_.erase(0, ready);
    if (found == std::string::npos) return passed;
    end_ = end;
  }
}

std::string launcher_report_filter::finish() { return end_.empty() ? std::exchange(kept_, {}) : std::string(); }

}  // namespace rankpool::detail
