// Runs one process from start to end: stdin is /dev/null, stdout and stderr are caught, and it has a process group of its own.
//
// Started by posix_spawn, which shares the parent's memory until exec: a worker's size costs nothing. Of the parent's
// descriptors the process gets none.
#pragma once

#include <string>
#include <vector>

namespace jobs {

struct process_result {
  std::string out;
  std::string err;
  int not_started = 0;  // errno, and nothing else is set then
  int status = 0;
  int signal = 0;
  double start = 0;  // seconds since 1970
  double seconds = 0;
  bool timed_out = false;
  bool too_much = false;  // over most_output_bytes in all, and ended for it
};

/// What is caught is held in memory, and travels in one message.
constexpr std::size_t most_output_bytes = std::size_t{1} << 30;

/// Blocks: until the process has ended, and at most a tenth of a second longer for what its children still hold open.
/// After `timeout_seconds` (0: never) its group is sent SIGTERM, and SIGKILL a little later.
/// Throws: std::system_error if this process lacks descriptors.
process_result run_process(const std::vector<std::string>& words, double timeout_seconds);

/// `descriptor`, or in its place a copy that is not 0, 1 or 2; -1 stays -1.
int above_standard_streams(int descriptor);

}  // namespace jobs
