// What a trace says of the whole run, beside its slices: totals of each function and worker, the slowest chunks, and failures.
#pragma once

#include "trace/function_names.hpp"

#include <rankpool/detail/scheduler/chunk_observer.hpp>
#include <rankpool/detail/scheduler/job.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rankpool::detail {

/// Thread safety: one thread at a time.
class run_totals {
 public:
  /// A chunk that has ended.
  struct ended_chunk {
    std::size_t function = 0;  ///< function_names::number_of()
    std::size_t worker = 0;
    std::uint64_t first = 0;
    std::uint64_t tasks = 0;
    std::uint64_t failed = 0;          ///< of these
    std::chrono::nanoseconds begin{};  ///< since the start of the trace
    std::chrono::nanoseconds taken{};
  };
  /// The number of tasks by the time of one: the limits of a class differ by the factor sqrt(2), and class 0 begins at 1 ns. The
  /// tasks of a chunk count with their mean.
  using histogram = std::array<std::uint64_t, 96>;
  /// Returns the lower limit of a class.
  static std::chrono::nanoseconds lower_limit(std::size_t number);

  struct totals {
    std::uint64_t tasks = 0;
    std::uint64_t failed = 0;
    std::uint64_t chunks = 0;
    std::chrono::nanoseconds busy{};
  };
  struct function_totals : totals {
    histogram times{};
  };
  struct worker_totals : totals {
    std::uint64_t recalled = 0;  ///< tasks that it has returned without running them, or that were lost with it
    std::chrono::nanoseconds cpu{};
  };

  explicit run_totals(std::size_t workers) : workers_(workers) {}

  void add(const ended_chunk& chunk);
  /// Adds tasks that have failed without an answer of their worker.
  void add_failed(std::size_t function, std::size_t worker, std::uint64_t tasks);
  void add_recalled(std::size_t worker, std::uint64_t tasks) { workers_[worker].recalled += tasks; }
  void set_cpu_time(std::size_t worker, std::chrono::nanoseconds used) { workers_[worker].cpu = used; }

  const std::vector<function_totals>& functions() const { return functions_; }
  const std::vector<worker_totals>& workers() const { return workers_; }
  /// Returns the chunks with the longest tasks, in no order.
  const std::vector<ended_chunk>& slowest() const { return slowest_; }

 private:
  function_totals& of_function(std::size_t number);

  std::vector<function_totals> functions_;
  std::vector<worker_totals> workers_;
  std::vector<ended_chunk> slowest_;  // a heap, with the fastest in front
};

}  // namespace rankpool::detail
