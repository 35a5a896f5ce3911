// The journals that this process has open.
#pragma once

#include <rankpool/detail/wire/worker_place.hpp>

#include <cstdint>
#include <string>

namespace rankpool::detail {

/// No more results are waiting for the disk than memory should hold. The pool sends no tasks while this is false, so that a disk
/// that stalls delays results, and not stops and cancellations.
bool journals_keep_up();

/// Records in all open journals that a worker was lost. `cause`: its end, as a part of a sentence. `tasks`: what it had not
/// finished.
void record_loss(const worker_place& where, const std::string& cause, std::uint64_t tasks);

/// Commits all open journals before the process ends. Logs errors that no exception has reported yet.
void commit_journals();

}  // namespace rankpool::detail
