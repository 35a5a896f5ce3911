// The options of every call, one aggregate each; each field states its default, unit, range and conflicts.
#pragma once

#include <rankpool/journal.hpp>
#include <rankpool/nullary.hpp>

#include <chrono>
#include <optional>

namespace rankpool {

struct executor_options {
  /// Most workers used at once. 0 (default): all; more than there are: all. Negative: std::invalid_argument.
  int max_workers = 0;
  /// Run once on each worker before this executor's first task there. Default: nothing. If it throws, the
  /// executor is broken: pending futures get broken_pool with its message.
  nullary initializer = {};
  /// Where the results of submitted tasks are kept, and those of maps and reductions that name no journal. Default: nowhere.
  rankpool::journal journal = {};
};

struct task_options {
  /// Higher goes first; equal ones in the order of submission. Default 0, any int.
  int priority = 0;
};

struct map_options {
  /// Items per task. 0 (default): chosen and adapted by measured task time. Negative: std::invalid_argument.
  long long chunksize = 0;
  /// Most items taken from the input and not yet yielded. 0 (default): no limit, the input is read during the
  /// call. Negative: std::invalid_argument.
  long long buffersize = 0;
  /// Time for all results, from the call on. None (default): no limit; 0: only what is ready.
  std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
  /// Results in input order (default), or as they complete.
  bool ordered = true;
  /// As for task_options.
  int priority = 0;
  /// Where finished items are kept, and taken from in a later run: `{.journal = "results.journal"}`. Default: the executor's.
  rankpool::journal journal = {};
};

struct shutdown_options {
  /// Return when every task is over (default), or at once.
  bool wait = true;
  /// Cancel what has not started. Default: it still runs.
  bool cancel_futures = false;
};

struct run_options {
  /// MPI launcher for a program started without one. Default: mpirun from PATH; RANKPOOL_MPIRUN overrides both.
  const char* launcher = nullptr;
  /// The first SIGINT, SIGTERM or SIGUSR1 stops the run in good order: cluster::stop, then what still runs is waited for, journals
  /// are completed, and the exit status is 75 (EX_TEMPFAIL: to be gone on with) unless the program has one of its own. A second
  /// one ends it at once. Default: the first ends it at once.
  bool stop_on_signal = false;
  /// The same at this time, without a signal. Default: never.
  std::optional<std::chrono::system_clock::time_point> stop_at = std::nullopt;
  /// How long what still runs is waited for. Default 30 s.
  std::chrono::nanoseconds grace = std::chrono::seconds(30);
};

}  // namespace rankpool
