// The time limit and the retries of an isolated task.
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

}  // namespace rankpool::detail
