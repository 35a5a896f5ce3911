// Defines inline_transport: two queues of frames, and the steps of the inline worker.
#include "worker/inline_transport.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace rankpool::detail {

inline_transport::inline_transport(worker_place place) : worker_end_(*this), worker_(worker_end_, std::move(place)) {}

void inline_transport::send(int, frame f) { to_worker_.push_back(std::move(f)); }

bool inline_transport::pop(std::deque<frame>& from, frame& f) {
  if (from.empty()) return false;
  f = std::move(from.front());
  from.pop_front();
  return true;
}

bool inline_transport::worker_end::receive(int& peer, frame& f) {
  peer = 0;
  return pop(other_.to_worker_, f);
}

bool inline_transport::receive(int& peer, frame& f) {
  peer = 0;
  if (to_rank0_.empty()) (void)worker_.step();
  return pop(to_rank0_, f);
}

// Called only while a task or callback waits for another thread.
void inline_transport::sleep(std::uint32_t, steady_time deadline) {
  std::this_thread::sleep_until(std::min(deadline, std::chrono::steady_clock::now() + std::chrono::milliseconds(1)));
}

}  // namespace rankpool::detail
