// Creates a run of a job for unit tests of the engine and of jobs/support.
#pragma once

#include <string>

#include "engine/job_run.hpp"
#include "support/cluster.hpp"

namespace support {

/// A run with an output file, if `output` is given, and a journal, if `journal` is given. `force`: it may replace the output.
class test_run : public jobs::job_run {
 public:
  explicit test_run(const std::string& output = {}, const std::string& journal = {}, bool force = true)
      : job_run(support::cluster(), settings_for(output, journal, force), "test", "test") {}

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
