#include "dispatcher/lifecycle.hpp"

#include "support/transition.hpp"

#include <rankpool/errors.hpp>

namespace rankpool::detail {

bool may_become(pool_state from, pool_state to) {
  using enum pool_state;
  switch (from) {
    case running: return to == draining || to == stopping || to == ending || to == failed;
    case draining: return to == stopping || to == ending || to == failed;
    case stopping: return to == ending || to == failed;
    case ending: return to == ended || to == failed;
    case ended: return to == failed;
    case failed: return false;
  }
  return false;
}

bool lifecycle::become(pool_state to) { return transition(state_, to); }

bool lifecycle::stop_early(const std::string& why, steady_time now) {
  std::lock_guard lock(mutex_);
  if (is_stopped_early_ || has_ended()) return false;
  stop_reason_ = std::make_exception_ptr(stopped_error(why));
  grace_period_ends_ = grace_period_ > steady_time::max() - now ? steady_time::max() : now + grace_period_;
  is_stopped_early_ = true;
  return become(pool_state::stopping);
}

bool lifecycle::is_grace_period_over(steady_time now) const { return state() == pool_state::stopping && now >= grace_period_ends_; }

void lifecycle::note_left_out(const std::exception_ptr& error) {
  if (error != nullptr && error == stop_reason()) has_left_out_work_ = true;
}

}  // namespace rankpool::detail
