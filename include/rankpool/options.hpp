// The options of each call, as aggregates. Each field states its default, unit, range and conflicts.
#pragma once

#include <rankpool/journal.hpp>
#include <rankpool/nullary.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

namespace rankpool {

/// Options of an executor.
struct executor_options {
  /// Maximum number of workers that the executor uses at the same time. 0 (default) or more than the cluster has: all workers.
  /// Negative: std::invalid_argument.
  int max_workers = 0;
  /// Runs once on each worker, before the executor's first task there. Default: nothing runs. If it throws, the executor is
  /// broken: pending futures fail with broken_pool, which has its message.
  nullary initializer = {};
  /// Keeps the results of submitted tasks, and of maps and reductions that have no journal of their own. Default: no journal.
  rankpool::journal journal = {};
  /// Maximum number of submitted tasks that are not done; submit() blocks at the limit. 0 (default): no limit. Tasks of
  /// run_everywhere, maps and reductions do not count; map_options::buffersize limits a map. A callback on the thread that drives
  /// progress may exceed the limit, because it must not block.
  std::size_t max_pending = 0;
};

/// Options of executor::submit.
struct task_options {
  /// Tasks of higher priority start first; tasks of equal priority start in the order of submission. Any int; default 0.
  int priority = 0;
};

/// Options of executor::map, starmap and transform_reduce.
struct map_options {
  /// Number of items per chunk. 0 (default): chosen and adapted by measured task time. Negative: std::invalid_argument.
  long long chunksize = 0;
  /// Maximum number of items that are read from the input before their results are read. 0 (default): no limit; the input is read
  /// during the call. Negative: std::invalid_argument.
  long long buffersize = 0;
  /// Time limit for all results, counted from the call. None (default): no limit; 0: only results that are available at once.
  std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
  /// true (default): results come in input order; false: in order of completion. transform_reduce ignores it.
  bool ordered = true;
  /// As task_options::priority.
  int priority = 0;
  /// Keeps the results of finished chunks, and restores them in a later run: `{.journal = "results.journal"}`. Default: the
  /// executor's journal.
  rankpool::journal journal = {};
};

/// Options of executor::shutdown.
struct shutdown_options {
  /// true (default): shutdown() blocks until all tasks are done; false: it returns at once.
  bool wait = true;
  /// true: cancels tasks that have not started; false (default): they still run.
  bool cancel_futures = false;
};

/// Options of run().
struct run_options {
  /// MPI launcher of a program that starts itself: a path or a name on PATH, without arguments. Default: mpirun. The environment
  /// variable RANKPOOL_MPIRUN overrides this option.
  const char* launcher = nullptr;
  /// true: the first SIGINT, SIGTERM or SIGUSR1 stops the run early, as cluster::stop does. Signals within half a second count as
  /// one request; a later signal ends the run at once. false (default): the first signal ends the run at once.
  bool stop_on_signal = false;
  /// Stops the run early at this time. Default: never.
  std::optional<std::chrono::system_clock::time_point> stop_at = std::nullopt;
  /// Grace period of a run that is stopped early: how long running tasks may continue, counted from the signal, from stop_at or
  /// from the call of cluster::stop. At its end, the futures of running tasks fail with stopped_error, and their processes end with
  /// the run. An inline cluster always finishes a running task. Default: 30 s; 0 or less: no grace period.
  std::chrono::nanoseconds grace = std::chrono::seconds(30);
};

}  // namespace rankpool
