// Finds the first and the last line of a report in a stream of text.
#include "mpi/launcher_report.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>

namespace rankpool::detail {
namespace {

// A report stands between two lines of 74 hyphens. Open MPI writes its other messages in this form too, so the first words decide.
// The first line of hyphens need not begin a line: a worker may have written a line without its end.
#define RANKPOOL_RULE "--------------------------------------------------------------------------\n"
constexpr std::string_view end_of_report = "\n" RANKPOOL_RULE;

enum class prefix { none, process, number };  // what precedes the begin of a report: "[host:pid" or a number and a blank

struct report {
  std::string_view begin;
  std::string_view end;
  prefix before = prefix::none;
};
constexpr std::array reports{
    report{RANKPOOL_RULE "prterun detected that one or more processes exited with non-zero status", end_of_report},
    report{RANKPOOL_RULE "prterun has exited due to process rank ", end_of_report},
    report{RANKPOOL_RULE "prterun noticed that process rank ", end_of_report},
    report{RANKPOOL_RULE "WARNING: The selected 'osc' module 'sm' is not tested for post-failure\n", end_of_report},
    report{"[warn] Epoll MOD(", "\n"},
    report{"] PMIX ERROR: BAD-PARAM in file ../../../src/event/pmix_event_notification.c", "\n", prefix::process},
    report{"more processes have sent help message help-mpi-ft.txt", "\n", prefix::number},
};
#undef RANKPOOL_RULE

/// Returns the length of the longest end of `text` with which `pattern` begins.
std::size_t begun_length(std::string_view text, std::string_view pattern) {
  std::size_t length = std::min(text.size(), pattern.size() - 1);
  while (!text.ends_with(pattern.substr(0, length))) --length;
  return length;
}

// Returns where the prefix begins that ends at `at`, perhaps as the incomplete end of the text; none if there is no prefix.
std::optional<std::size_t> begin_of_prefix(std::string_view text, std::size_t at, prefix kind) {
  const auto walk_back = [&](std::size_t from, auto is_part) {
    while (from > 0 && is_part(static_cast<unsigned char>(text[from - 1]))) --from;
    return from;
  };
  switch (kind) {
    case prefix::none: return at;
    case prefix::process: {
      const std::size_t begin =
          walk_back(at, [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':'; });
      return begin > 0 && text[begin - 1] == '[' ? std::optional(begin - 1) : std::nullopt;
    }
    case prefix::number: {
      if (at == text.size() || at == 0 || text[at - 1] != ' ') return std::nullopt;  // a number alone is passed on at once
      const std::size_t begin = walk_back(at - 1, [](unsigned char c) { return std::isdigit(c) != 0; });
      return begin < at - 1 ? std::optional(begin) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string launcher_report_filter::pass(std::string_view input) {
  std::string passed;
  kept_ += input;
  for (;;) {
    if (may_follow_report_ && !kept_.empty()) {
      if (kept_.front() == '\0') kept_.erase(0, 1);
      may_follow_report_ = false;
    }
    if (!end_.empty()) {
      const std::size_t found = kept_.find(end_);
      if (found == std::string::npos) {
        kept_.erase(0, kept_.size() - begun_length(kept_, end_));
        return passed;
      }
      kept_.erase(0, found + end_.size());
      end_ = {};
      may_follow_report_ = true;
      continue;
    }
    std::size_t found = std::string::npos;
    std::size_t begun = 0;
    std::string_view end;
    for (const report& kind : reports) {
      const std::size_t at = kept_.find(kind.begin);
      const auto begin = at == std::string::npos ? std::nullopt : begin_of_prefix(kept_, at, kind.before);
      if (begin && *begin < found) {
        found = *begin;
        end = kind.end;
      }
      const std::size_t length = begun_length(kept_, kind.begin);
      if (const auto first = begin_of_prefix(kept_, kept_.size() - length, kind.before))
        begun = std::max(begun, kept_.size() - *first);
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
