#include "engine/resumable.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "support/canonical_path.hpp"
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

/// Returns the journal's key for the modification time of a file, independent of the working directory.
std::string time_of(const std::string& path) { return "time of " + canonical_path(path); }

/// Returns the modification time as "SECONDS.NANOSECONDS". The size is not compared: a resumed run may write another size, because
/// a command that failed may now succeed.
std::string text_of(const struct stat& status) {
  return std::to_string(status.st_mtim.tv_sec) + '.' + std::to_string(status.st_mtim.tv_nsec);
}

timespec time_in(const std::string& text) {
  timespec when{};
  std::istringstream in(text);
  char point = 0;
  in >> when.tv_sec >> point >> when.tv_nsec;
  return when;
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

// In all runs, the file gets the modification time that the first run recorded.
void note_written(rankpool::journal& journal, int descriptor, const std::string& path) {
  struct stat now {};
  if (::fstat(descriptor, &now) != 0) throw std::system_error(errno, std::generic_category(), path);
  const std::string own = text_of(now);
  const std::string decided = journal.recall(time_of(path), own);
  if (decided == own) return;
  const timespec when = time_in(decided);
  if (::futimens(descriptor, std::array{when, when}.data()) != 0) throw std::system_error(errno, std::generic_category(), path);
}

bool has_written(const rankpool::journal& journal, const std::string& path) {
  struct stat status {};
  const auto time = journal.recalled(time_of(path));
  return time && ::stat(path.c_str(), &status) == 0 && text_of(status) == *time;
}

}  // namespace jobs
