// Waits for several futures: each future reports its completion to the group, and one thread waits for the group.
#include <rankpool/detail/client/future_group.hpp>
#include <rankpool/wait.hpp>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>

namespace rankpool::detail {
namespace {
constexpr std::chrono::milliseconds wait_per_pool{1};
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

// The future holds its own lock during the call, so this function takes no lock but the group's.
void future_group::on_done(future_state_base& state) {
  std::lock_guard lock(mutex_);
  ++finished_;
  any_failed_ = any_failed_ || state.state() == task_state::failed;
  over_.emplace_back(&state);
}

void future_group::wait_until(steady_time deadline, const std::function<bool()>& ready) {
  if (rooms_.size() == 1) (void)rooms_.front()->wait_until(deadline, ready);
  // A thread can drive only one pool at a time, and only that pool can wake it. With several pools, it waits for each in turn.
  while (rooms_.size() > 1 && !ready() && std::chrono::steady_clock::now() < deadline) {
    for (const auto& room : rooms_) {
      (void)room->wait_until(std::min(deadline, std::chrono::steady_clock::now() + wait_per_pool), ready);
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
  // The group keeps no reference to a future that it has returned.
  const auto kept = std::lower_bound(order_.begin(), order_.end(), next.get(),
                                     [](const auto& entry, const future_state_base* wanted) { return entry.first < wanted; });
  states_[kept->second].reset();
  return next;
}

std::vector<std::size_t> first_of_each(const std::vector<const void*>& all) {
  std::vector<std::size_t> firsts(all.size());
  std::iota(firsts.begin(), firsts.end(), std::size_t{0});
  std::sort(firsts.begin(), firsts.end(),
            [&](std::size_t a, std::size_t b) { return std::pair(all[a], a) < std::pair(all[b], b); });
  firsts.erase(std::unique(firsts.begin(), firsts.end(), [&](std::size_t a, std::size_t b) { return all[a] == all[b]; }),
               firsts.end());
  std::sort(firsts.begin(), firsts.end());
  return firsts;
}

void throw_unfinished(std::size_t unfinished, std::size_t total) {
  throw timeout_error(std::to_string(unfinished) + " (of " + std::to_string(total) + ") futures unfinished");
}

}  // namespace rankpool::detail
