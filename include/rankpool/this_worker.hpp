// this_worker: the rank and the host of the calling task.
#pragma once

#include <string>

namespace rankpool::this_worker {

/// Returns the rank of the worker that runs the calling task, or -1 outside of a task.
/// Thread safety: any thread; only the thread that runs the task is inside of it.
int rank() noexcept;
/// Returns the host name of the worker that runs the calling task, or an empty string outside of a task.
/// Thread safety: as rank().
/// Lifetime: the reference is valid until the task returns.
const std::string& host() noexcept;

}  // namespace rankpool::this_worker
