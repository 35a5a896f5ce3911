#include "report/activity.hpp"

#include <algorithm>
#include <cmath>

namespace jobs {

void activity::add(column& to, float busy, std::uint32_t function, float lead) {
  to.busy += busy;
  if (to.function == function) {
    to.lead += lead;
  } else if (to.lead >= lead) {
    to.lead -= lead;
  } else {
    to.function = function;
    to.lead = lead - to.lead;
  }
}

void activity::widen() {
  width_ *= 2;
  for (row& r : rows_) {
    if (r.empty()) continue;
    row wider(columns);
    for (std::size_t i = 0; i < columns; ++i) add(wider[i / 2], r[i].busy, r[i].function, r[i].lead);
    r = std::move(wider);
  }
  std::vector<double> wider(columns);
  for (std::size_t i = 0; i < columns; ++i) wider[i / 2] += tasks_[i];
  tasks_ = std::move(wider);
}

void activity::add(std::size_t worker, double begin, double end, double busy, std::uint32_t function, std::uint64_t tasks) {
  begin = std::max(begin, 0.0);
  end = std::max(end, begin);
  while (end >= width_ * columns) widen();
  if (rows_.size() <= worker) rows_.resize(worker + 1);
  row& r = rows_[worker];
  if (r.empty()) r.resize(columns);
  const auto first = static_cast<std::size_t>(begin / width_);
  const auto last = std::min(static_cast<std::size_t>(end / width_), columns - 1);
  for (std::size_t i = first; i <= last; ++i) {
    const double from = std::max(begin, static_cast<double>(i) * width_);
    const double to = std::min(end, static_cast<double>(i + 1) * width_);
    const double share = end > begin ? std::max(to - from, 0.0) / (end - begin) : 1;
    const auto time = static_cast<float>(busy * share);
    add(r[i], time, function, time);
    tasks_[i] += static_cast<double>(tasks) * share;
  }
}

std::size_t activity::columns_until(double end) const {
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::ceil(end / width_)), 1, columns);
}

const activity::row& activity::of(std::size_t worker) const {
  static const row nothing;
  return worker < rows_.size() ? rows_[worker] : nothing;
}

}  // namespace jobs
