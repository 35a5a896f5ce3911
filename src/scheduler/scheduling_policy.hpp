// How much work a worker is sent, in time, chunks and bytes.
#pragma once

#include <chrono>
#include <cstddef>

namespace rankpool::detail {

struct scheduling_policy {
  /// Work that a worker has at once, in measured time; at least one prefetched chunk.
  std::chrono::nanoseconds prefetch_window = std::chrono::milliseconds(6);
  /// Workers that share a core run in turns: prefetched work must last as long as the turns of the others.
  double workers_per_core = 1;
  /// Tasks of a kind that takes longer are never prefetched.
  std::chrono::nanoseconds longest_prefetched = std::chrono::milliseconds(10);
  /// Items are gathered into chunks of at most this time.
  std::chrono::nanoseconds longest_chunk = std::chrono::milliseconds(10);
  /// Chunks at one worker; 1: nothing is prefetched. A prefetched chunk can be cancelled only once it is recalled. So a worker
  /// starts with `initial_chunks`, and may have four more for each result that it has returned without a pause: soon as many as
  /// the throughput of the shortest tasks needs, while the queue behind a task that hangs stays short.
  std::size_t max_chunks = 4096;
  std::size_t initial_chunks = 64;
  /// Payload at one worker from which on nothing is prefetched, in bytes.
  std::size_t max_bytes = 4 << 20;
  /// A worker that has returned no result for so long, while others are idle, is asked for the chunks that it has not started.
  std::chrono::nanoseconds recall_after = std::chrono::milliseconds(5);
};

}  // namespace rankpool::detail
