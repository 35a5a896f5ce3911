// The process that runs isolated tasks.
#pragma once

#include "runner/runner_control.hpp"

namespace rankpool::detail {

/// Runs the batches that the rank requests, until the rank needs no runner any more. The supervisor calls it in a new process.
[[noreturn]] void run_calls(runner_control& control);

}  // namespace rankpool::detail
