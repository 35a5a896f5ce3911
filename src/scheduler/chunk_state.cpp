#include "scheduler/chunk_state.hpp"

namespace rankpool::detail {

const char* to_string(chunk_state state) {
  switch (state) {
    case chunk_state::queued: return "queued";
    case chunk_state::sent: return "sent";
    case chunk_state::started: return "started";
    case chunk_state::recalling: return "recalling";
    case chunk_state::done: return "done";
    case chunk_state::failed: return "failed";
    case chunk_state::cancelled: return "cancelled";
  }
  return "unknown";
}

bool may_become(chunk_state from, chunk_state to) {
  using enum chunk_state;
  switch (from) {
    case queued: return to == sent || to == failed || to == cancelled;
    case sent: return to == started || to == recalling || to == done || to == failed;
    case started: return to == done || to == failed;
    case recalling: return to == queued || to == started || to == done || to == failed;  // it may have started before the request
    case done:
    case failed:
    case cancelled: return false;
  }
  return false;
}

}  // namespace rankpool::detail
