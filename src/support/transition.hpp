// State machines whose state is one atomic enum, with a table may_become(from, to).
#pragma once

#include <atomic>

namespace rankpool::detail {

/// Changes the state if the table allows it. False: the table refuses the transition, and the state stays.
/// Thread safety: any thread.
template <class State>
bool transition(std::atomic<State>& state, State to) {
  State from = state.load();
  do {
    if (!may_become(from, to)) return false;
  } while (!state.compare_exchange_weak(from, to));
  return true;
}

}  // namespace rankpool::detail
