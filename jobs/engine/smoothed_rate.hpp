// The rate at which an amount grows, for estimates of the remaining time.
#pragma once

#include <algorithm>
#include <cmath>

namespace jobs {

/// The mean rate since the start, or, once more than `span` has passed, a mean in which older growth counts exponentially less.
/// Thread safety: one thread at a time.
class smoothed_rate {
 public:
  /// Records that the amount is `amount` at `seconds` after the start, where it was 0. A smaller amount than before counts as no
  /// growth. `span`: in seconds, over which the rate is smoothed.
  void update(double seconds, double amount, double span) {
    const double step = seconds - seconds_;
    if (step <= 0) return;
    const double growth = std::max(0.0, amount - amount_);
    const double weight = std::max(1 - std::exp(-step / span), step / seconds);  // the latter makes the mean since the start
    rate_ += weight * (growth / step - rate_);
    seconds_ = seconds;
    amount_ = amount;
  }
  double per_second() const { return rate_; }

 private:
  double seconds_ = 0;
  double amount_ = 0;
  double rate_ = 0;
};

}  // namespace jobs
