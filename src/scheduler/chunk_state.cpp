#include "scheduler/chunk_state.hpp"

namespace rankpool::detail {

const char* to_string(chunk_state state) {
  switch (state) {
    case chunk_state::queued: return "queued";
    case chunk_state::sent: return "sent";
    case chunk_state::started: return "started";
    case chunk_state::recalling: return "recalling";
    case chunk_state::lost: return "lost";
    case chunk_state::done: return "done";
    case chunk_state::failed: return "failed";
    case chunk_state::cancelled: return "cancelled";
  }
  return "unknown";
}

}  // namespace rankpool::detail
