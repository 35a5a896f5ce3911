// The shared memory through which a rank, a runner process, and the runner's supervisor see each other's state.
//
// The rank writes a batch of calls (request.hpp) and increases `requests`. The runner claims the calls one after another, appends
// their answers to a log (answer_log.hpp), and sets `finished` to the number of the request. The supervisor records the end of the
// runner. Whoever has something to tell the rank increases `events`.
#pragma once

#include "runner/futex.hpp"

#include <rankpool/detail/support/steady_time.hpp>
#include <rankpool/detail/wire/runner_settings.hpp>

#include <sys/types.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace rankpool::detail {

enum class runner_stage : std::uint32_t { none, alive, dead };

struct runner_control {
  // ---- set by the rank before it starts a runner
  std::int32_t rank_pid = 0;
  std::int32_t requests_descriptor = -1;  ///< of the rank's growing_memory objects
  std::int32_t answers_descriptor = -1;
  std::int32_t shares_descriptor = -1;
  std::int32_t rank = -1;
  std::array<char, 256> host{};
  runner_settings settings;
  std::int32_t blocks_by_address = 0;  ///< 1: the runner and the rank may read each other's memory
  std::uint32_t instance = 0;          ///< how many runners the rank has started with this memory

  // ---- the runner's life
  std::atomic<runner_stage> stage = runner_stage::none;
  std::atomic<std::int32_t> pid = 0;
  std::atomic<bool> is_initialized = false;  ///< the initializer has returned in this process
  std::atomic<bool> retires = false;         ///< the runner ends itself to be replaced; no task has failed
  std::atomic<bool> ends = false;            ///< the rank needs no runner any more
  std::int32_t wait_status = 0;              ///< of a dead runner, as waitpid() returns it
  std::int32_t supervisor_signal = 0;        ///< which has ended the supervisor, and the runner with it; 0: none did
  std::int32_t start_error = 0;              ///< errno, if a dead runner was never started
  std::atomic<std::uint64_t> cpu_nanoseconds = 0;

  // ---- notification
  std::atomic<std::uint32_t> requests = 0;  ///< number of the last batch
  std::atomic<std::uint32_t> finished = 0;  ///< number of the last batch that the runner has gone through
  std::atomic<std::uint32_t> events = 0;
  std::atomic<std::uint32_t> rank_waits = 0;
  std::atomic<std::uint32_t> runner_waits = 0;

  // ---- the batch
  static constexpr std::uint32_t none_left = std::numeric_limits<std::uint32_t>::max() / 2;
  std::atomic<std::uint32_t> claimed = 0;  ///< index of the next call to start; at least none_left: no further call starts
  std::uint32_t count = 0;                 ///< number of calls
  std::uint64_t request_bytes = 0;
  bool resumes = false;            ///< the runner first continues a call that an earlier runner has started:
  std::uint32_t resumed_call = 0;  ///< this one,
  std::uint64_t resumed_item = 0;  ///< from this item on

  // ---- progress of the current call
  std::atomic<std::uint64_t> answered_bytes = 0;  ///< length of the log of answers
  std::atomic<std::uint32_t> item_call = 0;       ///< 1 + index of the last call whose items have outcomes of their own
  std::atomic<bool> item_runs = false;            ///< an item of that call is running
  std::atomic<std::uint32_t> answered_calls = 0;  ///< of the batch
  std::atomic<bool> is_doomed = false;            ///< the rank is about to kill the runner, which must begin no task or item
  std::atomic<std::int64_t> began = 0;  ///< when the call or item began, in nanoseconds of the steady clock; 0: it has no timeout

  // ---- the last output on stderr
  static constexpr std::size_t tail_bytes = 4096;
  std::atomic<std::uint64_t> tail_end = 0;  ///< number of bytes written since the runner's start
  std::array<char, tail_bytes> tail{};

  void notify_rank() {
    events.fetch_add(1);
    if (rank_waits.exchange(0) != 0) futex_wake(events);
  }
  void notify_runner() {
    if (runner_waits.exchange(0) != 0) futex_wake(requests);
  }

  /// Appends text to the output on stderr. Only the supervisor calls it.
  void add_to_tail(std::string_view text) {
    const std::uint64_t end = tail_end.load(std::memory_order_relaxed);
    if (text.size() > tail_bytes) text.remove_prefix(text.size() - tail_bytes);
    for (std::size_t i = 0; i < text.size(); ++i) tail[(end + i) % tail_bytes] = text[i];
    tail_end.store(end + text.size(), std::memory_order_release);
  }
  /// Returns the last output, from the beginning of a line if it was cut.
  std::string last_output() const {
    const std::uint64_t end = tail_end.load(std::memory_order_acquire);
    std::string text;
    for (std::uint64_t i = end - std::min<std::uint64_t>(end, tail_bytes); i < end; ++i) text += tail[i % tail_bytes];
    if (end > tail_bytes) text.erase(0, text.find('\n') + 1);
    return text;
  }
};

}  // namespace rankpool::detail
