// The Catch2 listener that writes the record and checks the tests tagged [fault].
//
// If RANKPOOL_TEST_RECORD names a file, the listener writes one line for each test case that ends. The line has three fields,
// separated by tabs: the result (passed, failed, or empty if the test has no assertion), the name, and the tags, separated by
// spaces.
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
    // A test that returns before its first assertion does not apply to this number of workers.
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
