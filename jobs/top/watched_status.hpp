// A status file that is read again and again, and for how long it has not changed.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "engine/run_status.hpp"

namespace jobs {

class watched_status {
 public:
  using clock = std::chrono::steady_clock;

  explicit watched_status(std::string path) : path_(std::move(path)) {}

  /// Reads the file. A missing or empty file is no error. Throws: std::system_error, and std::runtime_error if it is not a status
  /// file.
  void read();
  /// Takes the contents of the file; empty if there is none. Throws: status_error.
  void take(const std::string& text, clock::time_point now, std::chrono::system_clock::time_point time);

  /// Returns the last state; empty if there was none yet.
  const std::optional<run_status>& last() const { return last_; }
  bool has_ended() const { return last_ && last_->is != run_status::stage::running; }
  /// Returns a line that explains why the state may be outdated; otherwise empty.
  std::string notice(clock::time_point now) const;

 private:
  std::string path_;
  std::string text_;
  std::optional<run_status> last_;
  bool is_missing_ = true;
  clock::time_point changed_;       // when a new state was seen last
  std::chrono::nanoseconds age_{};  // of the state at that time: 0, except for the first one
};

}  // namespace jobs
