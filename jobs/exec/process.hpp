// Runs a process to its end. stdin is /dev/null, stdout and stderr are captured, and the process leads its own process group.
//
// posix_spawn shares the parent's memory until exec, so the memory size of a worker does not matter. The process inherits no
// descriptors of its parent.
#pragma once

#include <string>
#include <vector>

namespace jobs {

struct process_result {
  std::string out;
  std::string err;
  int not_started = 0;  // errno if the process was not started; then nothing else is set
  int status = 0;
  int signal = 0;
  double start = 0;  // seconds since 1970
  double seconds = 0;
  bool timed_out = false;
  bool too_much = false;  // terminated, because its output exceeded most_output_bytes
};

/// The most captured output: it is held in memory and sent in one message.
constexpr std::size_t most_output_bytes = std::size_t{1} << 30;

/// Runs a process and returns its result. After `timeout_seconds` (0: none), sends SIGTERM to its group, and SIGKILL 0.2 s later.
/// Blocks: until the process ends, and up to 0.1 s longer while children hold its output open. Throws: std::system_error if no
/// descriptors are available.
process_result run_process(const std::vector<std::string>& words, double timeout_seconds);

/// Returns `descriptor`, or a copy of it if it is 0, 1 or 2; -1 stays -1.
int above_standard_streams(int descriptor);

}  // namespace jobs
