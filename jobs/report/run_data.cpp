#include "report/run_data.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jobs {
namespace {

template <class Member>
auto sum(const std::vector<run_data::worker>& workers, Member member) {
  decltype(workers.front().*member + 0) total{};
  for (const auto& each : workers) total += each.*member;
  return total;
}

}  // namespace

std::uint64_t run_data::tasks() const { return sum(workers, &worker::tasks); }
std::uint64_t run_data::failed() const { return sum(workers, &worker::failed); }
std::uint64_t run_data::recalled() const { return sum(workers, &worker::recalled); }
double run_data::busy() const { return sum(workers, &worker::busy); }
double run_data::cpu() const { return sum(workers, &worker::cpu); }

std::uint64_t run_data::lost_workers() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(workers, [](const worker& w) { return w.lost.has_value(); }));
}

double run_data::busy_share() const {
  const double time = seconds * static_cast<double>(workers.size());
  return time > 0 ? std::min(busy() / time, 1.0) : 0;
}

double quantile(const run_data::time_classes& times, double share) {
  std::uint64_t all = 0;
  for (const auto& [limit, tasks] : times) all += tasks;
  const double wanted = share * static_cast<double>(all);
  double below = 0;
  for (const auto& [limit, tasks] : times) {
    const double here = static_cast<double>(tasks);
    if (below + here >= wanted) return limit * std::pow(std::numbers::sqrt2, here > 0 ? (wanted - below) / here : 0);
    below += here;
  }
  return 0;
}

}  // namespace jobs
