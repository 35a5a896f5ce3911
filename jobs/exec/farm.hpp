// Runs commands on the workers, one per task. Submits enough to keep all workers busy, and reports each command when it finishes.
//
// A separate thread reads the input, so that finished commands are reported at once even while the input provides no data. The
// pool decides which commands form a message, and recalls those that are queued behind a long command.
#pragma once

#include <cstdint>
#include <functional>
#include <rankpool/rankpool.hpp>

#include "exec/command.hpp"
#include "exec/command_source.hpp"

namespace jobs {

struct farm_options {
  double timeout_seconds = 0;            // of each try of a command; 0: none
  int tries = 1;                         // most runs of a command that fails each time; the last run counts
  std::uint64_t max_failures = 0;        // no command starts after so many failed; running ones finish; 0: no limit
  double delay_seconds = 0;              // least time between the starts of two commands, on all workers together
  std::uint64_t most_ahead = 1'000'000;  // most commands read beyond the first unprinted one
  std::uint64_t most_bytes = 64 << 20;   // limit of the estimated output of the commands in flight
};

/// Callbacks, called on the thread that called run_farm().
struct farm_events {
  /// Called when a command has finished in any way. Returns a sequence number below which all output is printed; the highest
  /// number returned so far applies.
  std::function<std::uint64_t(const command&, command_outcome&&, int tries)> on_done;
  /// Called after every finished command has been reported.
  std::function<void()> on_idle = [] {};
  /// Called with the total number of commands, once the input has ended. Not called if the run stops before the end of the input.
  std::function<void(std::uint64_t)> on_known = [](std::uint64_t) {};
};

/// Runs the commands of `source` on an executor with `pool_options`, whose initializer is replaced. Returns false if max_failures
/// stopped the run early. Blocks: until all commands have finished. Throws: exceptions of the source, of the events, and of tasks
/// except failed commands; no further command is then started.
bool run_farm(rankpool::cluster& cluster, rankpool::executor_options pool_options, command_source& source,
              const farm_options& options, const farm_events& events);

}  // namespace jobs
