// Where the calling code runs, from within a task.
#pragma once

#include <string>

namespace rankpool::this_worker {

/// Rank of the worker that runs this task; -1 outside of a task.
int rank() noexcept;
/// Its host name; empty outside of a task.
const std::string& host() noexcept;

}  // namespace rankpool::this_worker
