// The listener that writes the record and watches over the tests tagged [fault].
//
// Where RANKPOOL_TEST_RECORD names a file, it gets one line for each test case, as it ends: passed, failed, or empty if
// it asserted nothing; its name; its tags, separated by spaces. Tabs stand between the three.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "support/record.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace support {
namespace {

bool computed = false;
int faults_open = 0;

class recorder : public listener_base {
 public:
  using listener_base::listener_base;

  void testRunStarting(const Catch::TestRunInfo&) override {
    if (const char* file = std::getenv("RANKPOOL_TEST_RECORD")) record_.open(file, std::ios::trunc);
  }

  void testCaseStarting(const Catch::TestCaseInfo&) override { computed = false; }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const auto& counts = stats.totals.assertions;
    const std::string name = name_of(stats);
    const std::vector<std::string> tags = tags_of(stats);
    bool failed = counts.failed > 0;
    // An early return without an assertion means that there was nothing to be seen on so many workers.
    if (!failed && !computed && counts.passed > 0 && std::ranges::count(tags, "fault") > 0) {
      std::cerr << "\"" << name << "\" is tagged [fault] but has not seen the pool compute after the fault: "
                << "end it with check_computes(pool) or check_cluster_computes()" << std::endl;
      ++faults_open;
      failed = true;
    }
    record_ << (failed ? "failed" : counts.passed > 0 ? "passed" : "empty") << '\t' << name << '\t';
    for (const auto& tag : tags) record_ << tag << ' ';
    record_ << std::endl;
  }

 private:
  std::ofstream record_;
};

CATCH_REGISTER_LISTENER(recorder)

}  // namespace

void note_computed() { computed = true; }

int faults_without_computation() { return faults_open; }

}  // namespace support
