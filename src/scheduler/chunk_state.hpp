// The states of a chunk on its way from the queue to its outcome, and the table of transitions.
#pragma once

#include <cstdint>

namespace rankpool::detail {

enum class chunk_state : std::uint8_t {
  queued,     ///< on rank 0: just cut, or returned by a worker
  sent,       ///< at a worker, which runs it or will
  started,    ///< the worker has said that it runs: it says so of chunks that take long
  recalling,  ///< at a worker that was asked for the chunks that it has not started
  lost,       ///< its worker was lost: on rank 0, to be sent to another one
  done,       ///< its worker has returned an outcome: results or an exception
  failed,     ///< it has not run, or its outcome is not awaited any more
  cancelled,  ///< cancelled while it waited in the queue after a recall or a loss
};

const char* to_string(chunk_state state);

/// The table of transitions.
constexpr bool may_become(chunk_state from, chunk_state to) {
  using enum chunk_state;
  switch (from) {
    case queued: return to == sent || to == failed || to == cancelled;
    case sent: return to == started || to == recalling || to == lost || to == done || to == failed;
    case started: return to == lost || to == done || to == failed;
    case recalling:  // it may have started before the request
      return to == queued || to == started || to == lost || to == done || to == failed;
    case lost: return to == sent || to == failed || to == cancelled;
    case done:
    case failed:
    case cancelled: return false;
  }
  return false;
}

}  // namespace rankpool::detail
