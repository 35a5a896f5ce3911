// How a worker runs the tasks of an executor: in its own process, or in runner processes with limits.
#pragma once

#include <cstdint>

namespace rankpool::detail {

/// How a worker runs the tasks of an executor.
struct runner_settings {
  std::uint64_t memory_bytes = 0;  ///< of a runner's private data, beyond what it has at its start; 0: no limit
  std::uint32_t max_tasks = 0;     ///< after which a runner is replaced; 0: no limit
  std::uint32_t crash_limit = 3;   ///< attempts of a task that end their runner
  std::uint32_t isolated = 0;      ///< 1: in a runner process; 0: in the worker's process

  friend bool operator==(const runner_settings&, const runner_settings&) = default;
};

}  // namespace rankpool::detail
