// --status: a small file with the state of a run, which other hosts can read through a shared file system.
//
// A thread of its own writes the file once per second, and replaces it atomically. So a slow or full file system never delays the
// run. The first failure is one line on stderr; the thread tries again every second.
//
// SIGINT, SIGTERM and SIGHUP, where they end the process, write the state first, for which they wait at most 0.4 s.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "engine/run_status.hpp"

namespace jobs {

/// Only one object may exist at a time.
class status_file {
 public:
  /// Returns the text of the file. `error`: why the run has failed or was stopped.
  using compose = std::function<std::string(run_status::stage stage, const std::string& error)>;

  /// Starts to write. A thread of this object calls `text` and, with a message for stderr, `complain`, until finish() returns.
  /// Neither may block. `has_stop_signals`: SIGINT and SIGTERM do not end the process.
  status_file(const std::string& path, compose text, std::function<void(const std::string&)> complain, bool has_stop_signals);
  /// Calls finish() for a run that has failed.
  ~status_file();
  status_file(const status_file&) = delete;
  status_file& operator=(const status_file&) = delete;

  /// Writes the final state. Further calls do nothing. Blocks: until it is written, for at most 5 s.
  void finish(run_status::stage stage, const std::string& error);

  /// Returns the contents of a status file; empty if it does not exist. Throws: std::system_error, status_error if it is too large.
  static std::string read(const std::string& path);
  /// Returns whether the path is free, a status file, or an empty file, as a crash of the system may leave one. Throws:
  /// std::system_error.
  static bool may_replace(const std::string& path);

 private:
  struct shared_state;
  static void write_states(const std::shared_ptr<shared_state>& state);

  std::shared_ptr<shared_state> state_;  // shared with the thread, which may outlive this object
  std::thread thread_;
};

}  // namespace jobs
