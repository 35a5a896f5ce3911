// The options of each call, as aggregates. Each field states its default, unit, range and conflicts.
#pragma once

#include <rankpool/journal.hpp>
#include <rankpool/nullary.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <string>

namespace rankpool {

/// Where the tasks of an executor run.
enum class isolation {
  none,     ///< in the process of their rank: fastest; a task that crashes ends the whole run
  process,  ///< in a process of their own beside the rank: a task that crashes fails alone, with worker_lost
};

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
  /// process: each worker runs the tasks of this executor one after another in a runner process of its own. A task that crashes,
  /// exits, or exceeds its time or memory limit ends its runner; the next task gets a new one, in which the initializer runs again.
  /// The runner does not have MPI. Requires that run() initialises MPI. none (default): tasks run in the process of their rank.
  enum isolation isolation = isolation::none;
  /// A runner is replaced after so many tasks or items of maps. 0 (default): never. Negative: std::invalid_argument.
  /// Requires isolation::process.
  int max_tasks_per_child = 0;
  /// Maximum size of the private data of a runner, in bytes, beyond what it has at its start. A task that exceeds it fails with
  /// worker_lost. 0 (default): no limit. Requires isolation::process.
  std::size_t memory_limit_bytes = 0;
  /// Maximum number of submitted tasks that are not done; submit() blocks at the limit. 0 (default): no limit. Tasks of
  /// run_everywhere, maps and reductions do not count; map_options::buffersize limits a map. A callback on the thread that drives
  /// progress may exceed the limit, because it must not block.
  std::size_t max_pending = 0;
  /// A task or item that has ended so many runners fails with worker_lost, also if its `retries` allow more attempts. So does a
  /// task or item that has ended so many workers: what a worker was running when it was lost runs again on another worker until
  /// then. 1: no such task or item runs again. Default: 3. Less than 1: std::invalid_argument.
  int crash_limit = 3;
  /// Default of task_options::timeout and map_options::task_timeout. Requires isolation::process.
  std::optional<std::chrono::nanoseconds> task_timeout = std::nullopt;
  /// Default of task_options::retries and map_options::retries, if these are 0. Requires isolation::process.
  int retries = 0;
};

/// Options of executor::submit.
struct task_options {
  /// Tasks of higher priority start first; tasks of equal priority start in the order of submission. Any int; default 0.
  int priority = 0;
  /// Time limit for the execution of the task. A task that takes longer fails with timeout_error, and its runner is killed. Rounded
  /// up to milliseconds. None (default): no limit. Requires isolation::process.
  std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
  /// How often the task is run again after a failure: one that `retry_if` accepts, or by default one that has ended its runner. A
  /// task may therefore run more than once. An isolated task also fails when it has ended as many runners as
  /// executor_options::crash_limit, whatever `retry_if` says. Default: 0. Negative or more than 65535: std::invalid_argument.
  /// Without `retry_if`, it requires isolation::process.
  int retries = 0;
  /// Returns whether a task that has failed with this exception is run again. It is called on rank 0, on the thread that drives
  /// progress, and must not block. It may be called until the task is done. If it throws, the task is not run again. Default: after
  /// worker_lost only. Requires `retries`.
  std::function<bool(const std::exception_ptr&)> retry_if = {};
  /// Delay before the first retry. It doubles with each further retry, up to a day. Other tasks run meanwhile, and the task can be
  /// cancelled. Default: 0. Negative: std::invalid_argument. Requires `retries`.
  std::chrono::nanoseconds backoff = {};
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
  /// Time limit for the execution of each item; see task_options::timeout. A chunk of transform_reduce fails as a whole.
  std::optional<std::chrono::nanoseconds> task_timeout = std::nullopt;
  /// How often an item is run again; see task_options::retries. The other items of its chunk are not, but their results come with
  /// those of the whole chunk. A chunk of transform_reduce runs again as a whole.
  int retries = 0;
  /// See task_options::retry_if. With it, or with `backoff`, rank 0 keeps a copy of the items of each chunk until the chunk is
  /// done. It may be called until the map_results are destroyed or transform_reduce has returned, and once more if it runs just
  /// then.
  std::function<bool(const std::exception_ptr&)> retry_if = {};
  /// Delay before the first retry of an item; see task_options::backoff.
  std::chrono::nanoseconds backoff = {};
};

/// Options of future::cancel.
struct cancel_options {
  /// true: also ends the task if it runs, by killing its process. Requires isolation::process. false (default): a task that runs is
  /// not cancelled.
  bool force = false;
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
  /// How long the process of a worker may be stopped, as by SIGSTOP, until it is killed and counts as lost, in steps of a second.
  /// Over several nodes: how long rank 0 may receive nothing from a worker until it counts as lost; up to 1 s longer, and at least
  /// 3 s. Time in which the whole run is stopped does not count. Not every run survives the loss of workers (README.md, "Lost
  /// workers"); this option has no effect on others. Default: 30 s.
  std::chrono::nanoseconds heartbeat_timeout = std::chrono::seconds(30);
  /// Writes a trace of the run to this file, which is replaced if it exists: what each worker and rank 0 did when. Perfetto
  /// (https://ui.perfetto.dev) and chrome://tracing show it. A name that ends in .gz: compressed. The trace of a run that was
  /// killed is usable. If the file cannot be created, the program is not called, and run() returns 1. Default: none.
  std::string trace = {};
};

}  // namespace rankpool
