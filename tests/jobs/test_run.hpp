// Creates a run of a job for unit tests of the engine and of jobs/support.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/job_run.hpp"
#include "support/cluster.hpp"

namespace support {

/// Returns settings with --max-failures, and possibly with --verify.
inline jobs::run_settings limited_to(std::uint64_t max_failures, bool verify = false) {
  jobs::run_settings settings;
  settings.quiet = true;
  settings.max_failures = max_failures;
  settings.verify = verify;
  return settings;
}

/// A run with an output file, if `output` is given, and a journal, if `journal` is given. `force`: it may replace the output.
class test_run : public jobs::job_run {
 public:
  explicit test_run(const std::string& output = {}, const std::string& journal = {}, bool force = true)
      : test_run(settings_for(output, journal, force)) {}
  explicit test_run(jobs::run_settings settings) : job_run(support::cluster(), std::move(settings), "test", "test") {}

 private:
  static jobs::run_settings settings_for(const std::string& output, const std::string& journal, bool force) {
    jobs::run_settings settings;
    settings.quiet = true;
    settings.resumable.journal = settings.output.journal = journal;
    settings.output.path = output;
    settings.output.force = force;
    return settings;
  }
};

}  // namespace support
