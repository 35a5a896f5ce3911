// The journals that this process has open.
#pragma once

namespace rankpool::detail {

/// Brings them all to the disk, for an end that may not wait. An error that nobody knows of is logged.
void commit_journals();

}  // namespace rankpool::detail
