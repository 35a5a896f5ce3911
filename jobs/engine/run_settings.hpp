// The values of the options that jobs have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/output.hpp"
#include "engine/resumable.hpp"

namespace jobs {

struct run_settings {
  int max_workers = 0;                         // --workers; 0: all
  long long chunksize = 0;                     // --chunksize, items per task; 0: the job decides
  bool isolate = false;                        // --isolate: run tasks in processes of their own
  int retries = 0;                             // --retries, of tasks that have ended their process
  std::optional<double> task_timeout_seconds;  // --task-timeout
  std::uint64_t max_failures = 0;              // --max-failures; 0: not given, the job decides
  bool verify = false;                         // --verify
  bool json = false;                           // --json: print one JSON object instead of lines
  bool quiet = false;                          // --quiet: print no progress
  std::string trace;                           // --trace
  std::string report;                          // --report
  std::string status;                          // --status
  bool verbose = false;                        // --verbose: print hosts and decisions
  resumable_options resumable;                 // --journal, --stop-before
  output_options output;                       // --output, --force
  std::vector<std::string> tail;               // words that are not parsed (subcommand::unparsed_words)
  std::vector<std::string> command_line;       // all words after the name of the program
};

}  // namespace jobs
