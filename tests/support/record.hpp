// What the test cases of this program have shown: a record of them for the table of conformance (conformance/table.sh),
// and that each test of a fault has seen the pool compute again.
#pragma once

namespace support {

/// Notes that the test that is running has seen a pool compute: check_computes() does it.
void note_computed();

/// How many tests tagged [fault] have ended without that. Each has been named on stderr.
int faults_without_computation();

}  // namespace support
