// Finds the first and the last line of a report in a stream of text.
#include "mpi/launcher_report.hpp"

#include <algorithm>
#include <array>
#include <cctype>
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
  bool follows_prefix = false;  // "[host:pid" precedes the begin
};
constexpr std::array reports{
    report{RANKPOOL_RULE "prterun detected that one or more processes exited with non-zero status", end_of_report},
    report{RANKPOOL_RULE "prterun has exited due to process rank ", end_of_report},
    report{RANKPOOL_RULE "prterun noticed that process rank ", end_of_report},
    report{RANKPOOL_RULE "WARNING: The selected 'osc' module 'sm' is not tested for post-failure\n", end_of_report},
    report{"[warn] Epoll MOD(", "\n"},
    report{"] PMIX ERROR: BAD-PARAM in file ../../../src/event/pmix_event_notification.c", "\n", true},
};
#undef RANKPOOL_RULE

/// Returns the length of the longest end of `text` with which `pattern` begins.
std::size_t begun_length(std::string_view text, std::string_view pattern) {
  std::size_t length = std::min(text.size(), pattern.size() - 1);
  while (!text.ends_with(pattern.substr(0, length))) --length;
  return length;
}

// Returns where the prefix begins that ends at `at`, perhaps as the incomplete end of the text; `at` if there is none.
std::size_t begin_of_prefix(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  const auto is_in_prefix = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == ':';
  };
  while (begin > 0 && is_in_prefix(text[begin - 1])) --begin;
  return begin > 0 && text[begin - 1] == '[' ? begin - 1 : at;
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
      std::size_t at = kept_.find(kind.begin);
      if (kind.follows_prefix && at != std::string::npos) at = begin_of_prefix(kept_, at);
      if (at < found) {
        found = at;
        end = kind.end;
      }
      std::size_t length = begun_length(kept_, kind.begin);
      if (kind.follows_prefix) length = kept_.size() - begin_of_prefix(kept_, kept_.size() - length);
      begun = std::max(begun, length);
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
