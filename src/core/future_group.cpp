// Waiting for several futures: each tells the group when it is over, the group wakes the one thread that waits.
#include <rankpool/wait.hpp>

namespace rankpool::detail {
namespace {
constexpr std::chrono::milliseconds turn_of_one_pool{1};
}

future_group::future_group(std::vector<shared_job<future_state_base>> states) : states_(std::move(states)) {
  order_.reserve(states_.size());
  for (std::size_t i = 0; i < states_.size(); ++i) order_.emplace_back(states_[i].get(), i);
  std::sort(order_.begin(), order_.end());
  for (const auto& state : states_) {
    if (auto room = state->room(); rooms_.empty() || rooms_.back() != room) rooms_.push_back(std::move(room));
    state->watch(*this);
  }
  std::sort(rooms_.begin(), rooms_.end());
  rooms_.erase(std::unique(rooms_.begin(), rooms_.end()), rooms_.end());
}

future_group::~future_group() {
  for (const auto& state : states_) {
    if (state != nullptr) state->unwatch(*this);
  }
}

// Called with the state's lock held: takes only the group's own.
void future_group::on_done(future_state_base& state) {
  std::lock_guard lock(mutex_);
  ++finished_;
  any_failed_ = any_failed_ || state.state() == task_state::failed;
  over_.emplace_back(&state);
}

void future_group::wait_until(steady_time deadline, const std::function<bool()>& ready) {
  if (rooms_.size() == 1) (void)rooms_.front()->wait_until(deadline, ready);
  // Futures of several pools: one at a time can be driven from here, or wake this thread. So each gets its turn.
  while (rooms_.size() > 1 && !ready() && std::chrono::steady_clock::now() < deadline) {
    for (const auto& room : rooms_) {
      (void)room->wait_until(std::min(deadline, std::chrono::steady_clock::now() + turn_of_one_pool), ready);
    }
  }
}

void future_group::wait(return_when when, steady_time deadline) {
  wait_until(deadline, [&] {
    std::lock_guard lock(mutex_);
    if (finished_ == states_.size()) return true;
    if (when == return_when::first_completed) return finished_ > 0;
    return when == return_when::first_exception && any_failed_;
  });
}

shared_job<future_state_base> future_group::next_done(steady_time deadline) {
  wait_until(deadline, [&] {
    std::lock_guard lock(mutex_);
    return given_ < over_.size();
  });
  shared_job<future_state_base> next;
  {
    std::lock_guard lock(mutex_);
    if (given_ == over_.size()) return nullptr;
    next = std::move(over_[given_++]);
  }
  // No reference is kept to what has been given out.
  const auto kept = std::lower_bound(order_.begin(), order_.end(), next.get(),
                                     [](const auto& entry, const future_state_base* wanted) { return entry.first < wanted; });
  states_[kept->second].reset();
  return next;
}

}  // namespace rankpool::detail
