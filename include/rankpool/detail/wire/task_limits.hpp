// What a worker needs to know about an isolated task and about the runner processes of an executor.
#pragma once

#include <cstdint>
#include <limits>

namespace rankpool::detail {

/// The limits of a task, or of each item of a chunk. They apply only in runner processes.
struct task_limits {
  static constexpr std::uint32_t no_timeout = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t timeout_milliseconds = no_timeout;  ///< of each attempt
  std::uint32_t retries = 0;                        ///< after attempts that have ended their runner

  friend bool operator==(const task_limits&, const task_limits&) = default;
};

/// How a worker runs the tasks of an executor.
struct runner_settings {
  std::uint64_t memory_bytes = 0;  ///< of a runner's private data, beyond what it has at its start; 0: no limit
  std::uint32_t max_tasks = 0;     ///< after which a runner is replaced; 0: no limit
  std::uint32_t crash_limit = 3;   ///< attempts of a task that end their runner
  std::uint32_t isolated = 0;      ///< 1: in a runner process; 0: in the worker's process

  friend bool operator==(const runner_settings&, const runner_settings&) = default;
};

}  // namespace rankpool::detail
