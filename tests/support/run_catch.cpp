// The only source file that compiles the runner of Catch2.
#define CATCH_CONFIG_RUNNER
#include "support/run_catch.hpp"

#include "support/catch.hpp"

int support::run_catch(int argc, char** argv, const std::string& default_tests) {
  Catch::Session session;
  if (const int status = session.applyCommandLine(argc, argv); status != 0) return status;
  auto& selected = session.configData().testsOrTags;
  if (selected.empty() && !default_tests.empty()) selected.emplace_back(default_tests);
  return session.run();
}
