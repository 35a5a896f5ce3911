// Keeps the workers in commands: as many are under way as keep them busy, one a task, and each is handed back when it is over.
//
// A thread of its own waits for the input, so that what is done is told at once even while the input has nothing more to
// give. The pool decides what travels together and takes back what waits behind a long command.
#pragma once

#include <cstdint>
#include <functional>
#include <rankpool/rankpool.hpp>

#include "exec/command.hpp"
#include "exec/command_source.hpp"

namespace jobs {

struct farm_options {
  double timeout_seconds = 0;            // for each try of a command; 0: none
  int tries = 1;                         // most runs of a command that goes on failing; the last one counts
  std::uint64_t max_failures = 0;        // after so many failed commands no other is started; what runs is waited for; 0: no limit
  double delay_seconds = 0;              // at least so long between the starts of two commands, on whichever workers
  std::uint64_t most_ahead = 1'000'000;  // how far beyond the first that is not printed commands are read
  std::uint64_t most_bytes = 64 << 20;   // of output that may be under way, going by what commands have printed so far
};

/// What the caller is told, on the thread that called run_farm.
struct farm_events {
  /// A command is over, whatever came of it. Returns a number below which all that matters is printed; the highest so far
  /// counts.
  std::function<std::uint64_t(const command&, command_outcome&&, int tries)> on_done;
  /// Called after every finished command has been reported.
  std::function<void()> on_idle = [] {};
  /// How many there are in all, once the input has ended.
  std::function<void(std::uint64_t)> on_known = [](std::uint64_t) {};
};

/// Runs the commands of `source` on an executor with `pool_options`, whose initializer is replaced. False: max_failures have
/// stopped it before all were run. Blocks: until all is over. Throws: what the source throws, what tasks throw that is no command's
/// failure, and what the events throw; nothing new is started then.
bool run_farm(rankpool::cluster& cluster, rankpool::executor_options pool_options, command_source& source,
              const farm_options& options, const farm_events& events);

}  // namespace jobs
