// The journals that this process has open.
#pragma once

namespace rankpool::detail {

/// No more results are waiting for the disk than memory should hold. The pool sends no tasks while this is false, so that a disk
/// that stalls delays results, and not stops and cancellations.
bool journals_keep_up();

/// Commits all open journals before the process ends. Logs errors that no exception has reported yet.
void commit_journals();

}  // namespace rankpool::detail
