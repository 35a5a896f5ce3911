#include "engine/run_figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "support/in_words.hpp"

namespace jobs {
namespace {

std::string rate_text(double per_second) {
  constexpr double shown_in_full = 99.5;
  if (per_second >= shown_in_full) return grouped(static_cast<std::uint64_t>(std::llround(per_second))) + "/s";
  std::array<char, 40> text{};
  (void)std::snprintf(text.data(), text.size(), "%.2g/s", per_second);
  return text.data();
}

}  // namespace

std::string progress_text(const run_figures& figures) {
  std::string text = grouped(figures.done);
  if (figures.has_total()) text += " of " + grouped(figures.total);
  text += " done";
  if (figures.failed > 0) text += ", " + grouped(figures.failed) + " failed";
  if (figures.workers_lost > 0) {
    text += ", " + counted(static_cast<std::uint64_t>(figures.workers_lost), "worker") + " lost";
  }
  if (figures.retried > 0) text += ", " + grouped(figures.retried) + " retried";
  if (figures.remaining_seconds) text += ", about " + clock_text(*figures.remaining_seconds) + " left";
  if (figures.rate > 0) text += ", " + rate_text(figures.rate);
  if (figures.busy_share > 0) text += ", " + percent_in_words(figures.busy_share) + " busy";
  return text + ", " + clock_text(figures.elapsed_seconds) + " passed";
}

std::string fitted(std::string list, std::size_t columns) {
  if (list.size() <= columns) return list;
  const std::size_t comma = list.rfind(", ", columns);
  list.resize(comma == list.npos ? columns : comma);
  return list;
}

std::string progress_bar(const run_figures& figures, std::size_t length) {
  if (!figures.has_total()) return {};
  const double share = static_cast<double>(figures.done) / static_cast<double>(figures.total);
  const std::size_t full = std::min(length, static_cast<std::size_t>(share * static_cast<double>(length)));
  return '[' + std::string(full, '#') + std::string(length - full, '.') + ']';
}

std::string clock_text(double seconds) {
  constexpr double longest = 1e15;
  const auto s = std::llround(std::clamp(seconds, 0.0, longest));
  std::array<char, 40> text{};
  if (s < 3600) {
    (void)std::snprintf(text.data(), text.size(), "%lld:%02lld", s / 60, s % 60);
  } else {
    (void)std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  }
  return text.data();
}

}  // namespace jobs
