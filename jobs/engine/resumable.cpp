#include "engine/resumable.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "support/usage_error.hpp"

namespace jobs {
namespace {

constexpr double usual_seconds_before_end = 60;
constexpr double most_seconds = 1e9;

/// Returns the end of the allocation (seconds since 1970) from SLURM_JOB_END_TIME, which Slurm or the scripts in slurm/ set.
std::optional<std::chrono::system_clock::time_point> end_of_allocation() {
  const char* const text = std::getenv("SLURM_JOB_END_TIME");
  if (text == nullptr) return std::nullopt;
  std::int64_t seconds = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, seconds);
  if (error != std::errc() || stop != end || seconds <= 0 || static_cast<double>(seconds) > 1e10) return std::nullopt;
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

}  // namespace

void resumable_options::check() const {
  if (!stop_before_end) return;
  if (journal.empty()) throw usage_error("--stop-before requires --journal FILE");
  if (*stop_before_end > most_seconds) throw usage_error("--stop-before requires a time of at most 1e9 s");
  if (!end_of_allocation()) {
    throw usage_error(
        "--stop-before counts from the end of a Slurm allocation, but SLURM_JOB_END_TIME does not contain that time (in seconds "
        "since 1970)");
  }
}

bool resumable_options::resumes() const {
  std::error_code none;
  return !journal.empty() && std::filesystem::file_size(journal, none) > 0 && !none;
}

rankpool::run_options resumable_options::run_options() const {
  rankpool::run_options options;
  if (journal.empty()) return options;
  options.stop_on_signal = true;
  if (const auto end = end_of_allocation()) {
    const std::chrono::duration<double> before(stop_before_end.value_or(usual_seconds_before_end));
    options.stop_at = *end - std::chrono::duration_cast<std::chrono::system_clock::duration>(before);
    options.grace = std::chrono::duration_cast<std::chrono::nanoseconds>(0.8 * before);  // 20 % remain for the end of the run
  }
  return options;
}

}  // namespace jobs
