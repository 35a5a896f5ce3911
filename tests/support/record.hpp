// Records the results of the test cases for the table of conformance (conformance/table.sh), and checks that each test tagged
// [fault] verifies that the pool still computes.
#pragma once

namespace support {

/// Records that the current test has verified that a pool still returns right results. check_computes() calls it.
void note_computed();

/// Returns the number of tests tagged [fault] that ended without this verification. Their names were written to stderr.
int faults_without_computation();

}  // namespace support
