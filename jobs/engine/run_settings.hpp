// The options that jobs have in common, as they were given.
#pragma once

#include <string>
#include <vector>

#include "engine/output.hpp"
#include "engine/resumable.hpp"

namespace jobs {

struct run_settings {
  int max_workers = 0;            // --workers; 0: all
  long long chunksize = 0;        // --chunksize, in items of a task; 0: the job decides
  bool verify = false;            // --verify
  bool json = false;              // --json: print one JSON object instead of lines
  bool quiet = false;             // --quiet: print no progress
  bool verbose = false;           // --verbose: print hosts and decisions
  resumable_options resumable;    // --journal, --stop-before
  output_options output;          // --output, --force
  std::vector<std::string> tail;  // words that the job keeps from the parser (job::unparsed_words)
};

}  // namespace jobs
