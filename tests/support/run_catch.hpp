// Runs Catch2. The main functions of tests call it, so that only one source file compiles the runner of Catch2 2, which takes long.
#pragma once

#include <string>

namespace support {

/// Runs the tests that the command line selects and returns the exit status. If it selects none, runs those that match
/// `default_tests`, or all tests if `default_tests` is empty.
int run_catch(int argc, char** argv, const std::string& default_tests = {});

}  // namespace support
