#include "engine/run_report.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "engine/json.hpp"
#include "engine/output.hpp"
#include "support/file_io.hpp"

namespace jobs {

std::string checked_results::text() const {
  const std::uint64_t all = verified + failed + unchecked;
  std::string text = std::to_string(verified);
  text.append(" of ").append(std::to_string(all)).append(" ").append(noun).append(all == 1 ? "" : "s");
  text.append(", ").append(std::to_string(failed)).append(" failed");
  return text;
}

void run_report::start(std::string_view job, std::string_view parameters) {
  started_ = true;
  write("{\"job\": " + json_of(job) + ", \"parameters\": " + std::string(parameters));
}

void run_report::add_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    line_ += text.substr(0, end);
    if (end == text.npos) break;
    out += std::exchange(in_lines_, true) ? ", " : ", \"lines\": [";
    out += json_of(std::exchange(line_, {}));
    text.remove_prefix(end + 1);
  }
  write(out);
}

void run_report::add(std::string_view key, double value) { add_json(key, json_of(value)); }
void run_report::add(std::string_view key, std::string_view text) { add_json(key, json_of(text)); }

void run_report::add_json(std::string_view key, std::string_view value) {
  if (!started_) return;
  if (!result_.empty()) result_ += ", ";
  result_ += json_of(key) + ": " + std::string(value);
}

void run_report::verified(std::string_view how) {
  if (!checks_.empty()) checks_ += "; ";
  checks_ += how;
}

void run_report::finish(const costs& taken, ending how, std::string_view error) {
  if (!started_ || std::exchange(finished_, true)) return;
  if (!line_.empty()) add_lines("\n");
  std::string out = in_lines_ ? "]" : "";
  if (!result_.empty()) out += ", \"result\": {" + result_ + "}";
  if (!checks_.empty()) out += ", \"verified\": " + json_of(checks_);
  if (checked_) {
    out += ", \"verified_results\": " + json_of(checked_->verified) + ", \"failed_results\": " + json_of(checked_->failed);
  }
  out += std::string(", \"status\": \"") + (how == ending::done ? "done" : how == ending::stopped ? "stopped" : "failed") + '"';
  if (how != ending::done) out += ", \"error\": " + json_of(error);
  const nlohmann::ordered_json figures{
      {"wall_seconds", taken.wall_seconds}, {"cpu_seconds", taken.cpu_seconds}, {"tasks", taken.tasks},
      {"restored", taken.restored},         {"workers", taken.workers},         {"workers_lost", taken.workers_lost},
      {"tasks_lost", taken.tasks_lost}};
  const std::string members = json_of(figures);
  write(out + ", " + members.substr(1) + "\n");
}

void run_report::write(std::string_view text) {
  if (const int error = write_all(descriptor_, text); error != 0) {
    finished_ = true;  // a report with a gap would be misleading
    throw output_error(error, std::generic_category(), "cannot write standard output");
  }
}

}  // namespace jobs
