// The progress of a run at one moment, and how it is shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace jobs {

struct run_figures {
  std::uint64_t done = 0;      // tasks, or what the job counts
  std::uint64_t total = 0;     // 0: unknown
  std::uint64_t failed = 0;    // of `done`
  std::uint64_t restored = 0;  // from the journal
  std::uint64_t retried = 0;   // attempts beyond the first
  int workers_lost = 0;
  double elapsed_seconds = 0;
  double rate = 0;        // per second; restored tasks do not count
  double busy_share = 0;  // of the workers' time, from 0 to 1

  std::optional<double> remaining_seconds{};  // empty: unknown

  bool has_total() const { return total > 0 && done <= total; }
};

/// Returns the figures as text, without those that are zero: "7 of 20 done, 1 failed, about 0:26 left, 0.5/s, 93 % busy, 0:14
/// passed". The most important come first, because a narrow terminal shows only the beginning.
std::string progress_text(const run_figures& figures);

/// Returns the list without the last parts that do not fit into the columns. Parts are separated by commas.
std::string fitted(std::string list, std::size_t columns);

/// Returns "[###.......]", with `length` places; empty without a total.
std::string progress_bar(const run_figures& figures, std::size_t length);

/// Returns a time as "1:02:03", or "2:03" below an hour.
std::string clock_text(double seconds);

}  // namespace jobs
