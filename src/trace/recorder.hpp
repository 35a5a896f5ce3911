// Records what each worker and rank 0 did when, as events of a trace.
//
// A worker has one track, with a slice for each chunk that it ran. Short chunks that follow one another are one slice, so that the
// trace of many short tasks stays small. What is short grows with the time since the start, so that the trace of a long run stays
// small too. Rank 0 has a track with its own work. Counters show what is at the workers and on the way.
//
// Times are those of rank 0's clock. The clocks of other nodes are compared with it before the run, and drift. So the offset of a
// node is corrected whenever a chunk seems to begin before it was sent, or to end after its result has arrived. Metadata events
// whose names begin with "rankpool" are for `rankpool report`; viewers ignore them.
#pragma once

#include "dispatcher/observer.hpp"
#include "trace/event_file.hpp"
#include "trace/function_names.hpp"
#include "trace/run_totals.hpp"

#include <rankpool/cluster.hpp>
#include <rankpool/detail/support/steady_time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rankpool::detail {

/// Thread safety: any thread. Events after finish() are ignored.
class recorder final : public dispatch_observer {
 public:
  struct place {
    worker_info worker;
    int node = 0;                            ///< 0: that of rank 0
    std::chrono::nanoseconds clock_ahead{};  ///< the steady clock of its node, minus rank 0's
  };

  struct leader {
    std::string host;  ///< of rank 0
    std::string mpi;   ///< the MPI library and its version
  };

  using clock = std::function<steady_time()>;

  /// `workers`: in the order of their numbers in the pool. Throws: rankpool::error if the file cannot be created.
  recorder(
      const std::string& path, const leader& rank_0, std::vector<place> workers,
      clock now = [] { return std::chrono::steady_clock::now(); });

  void on_sent(const observed_chunk& chunk) override;
  void on_recalled(const observed_chunk& chunk) override;
  void on_finished(const observed_chunk& chunk, outcome& result) override;
  void on_abandoned(const observed_chunk& chunk) override;
  void on_cpu_time(worker_index where, std::uint64_t nanoseconds) override;
  void on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) override;
  void on_step(const observed_step& step) override;

  /// Writes the rest of the trace. `ending`: how the program ended, such as "was stopped early"; empty: with status 0. Returns why
  /// the trace is incomplete; empty if it is complete. Later calls return nothing. Blocks: until the file is written.
  std::string finish(const std::string& ending);

 private:
  // Chunks of one function that a worker ran one after another.
  struct slice {
    std::chrono::nanoseconds begin{};
    std::chrono::nanoseconds end{};
    std::chrono::nanoseconds busy{};
    std::size_t function = 0;
    std::uint64_t chunks = 0;  // 0: there is no slice
    std::uint64_t tasks = 0;
    std::uint64_t failed = 0;
  };
  struct track {
    place where;
    slice current;
    std::uint64_t tasks_there = 0;
    std::optional<steady_time> sent{};  // when the worker, which had no task, was sent the next chunk that it finishes
  };
  // Steps of rank 0 that are one slice.
  struct busy_time {
    steady_time begin;
    steady_time end;
    std::chrono::nanoseconds receiving{};
    std::chrono::nanoseconds scheduling{};
    std::chrono::nanoseconds sending{};
    std::chrono::nanoseconds in_callbacks{};
    std::uint64_t steps = 0;  // 0: there is no busy time
  };

  std::chrono::nanoseconds longest_slice_after(std::chrono::nanoseconds elapsed) const;
  bool is_inline() const;
  void write_run(const leader& rank_0);
  void write_names(const std::string& host);
  void write_failures(const track& t, const job& work, const failed_items& failed, std::chrono::nanoseconds when);
  void write_totals(const std::string& ending);
  void write(track& t);
  void write_ended();
  void write(busy_time& b);
  void write_counters();
  std::uint64_t remove_from_worker(const observed_chunk& chunk);
  std::chrono::nanoseconds end_of(const observed_chunk& chunk, std::chrono::nanoseconds taken);

  function_names functions_;
  std::mutex mutex_;  // guards the rest
  const clock now_;
  const steady_time origin_;
  const std::chrono::nanoseconds shortest_slice_;
  std::vector<track> tracks_;
  busy_time rank_0_;
  run_totals totals_;
  std::uint64_t tasks_at_workers_ = 0;
  std::uint64_t failures_written_ = 0;
  observed_step last_step_;
  std::uint64_t tasks_after_last_step_ = 0;
  bool is_last_step_written_ = true;
  steady_time next_counters_;
  bool is_finished_ = false;
  event_file file_;  // the last member, because its thread uses the others
};

}  // namespace rankpool::detail
