#include "dispatcher/statistics.hpp"

#include <chrono>
#include <utility>

namespace rankpool::detail {
namespace {

// The driving thread alone writes: a plain store suffices, and costs less than an atomic addition.
void add(std::atomic<std::uint64_t>& sum, std::uint64_t n) {
  sum.store(sum.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

statistics_observer::statistics_observer(std::size_t workers, loss_listener losses) : losses_(losses), cpu_nanoseconds_(workers) {}

cluster_statistics statistics_observer::totals() const {
  return {.tasks = tasks_finished_.load(std::memory_order_relaxed),
          .cpu_time = std::chrono::nanoseconds(all_cpu_nanoseconds_.load(std::memory_order_relaxed)),
          .workers_lost = static_cast<int>(workers_lost_.load(std::memory_order_relaxed)),
          .tasks_lost = tasks_lost_.load(std::memory_order_relaxed)};
}

void statistics_observer::on_finished(const observed_chunk& chunk, outcome&) { add(tasks_finished_, chunk.count); }

void statistics_observer::on_cpu_time(worker_index where, std::uint64_t nanoseconds) {
  const std::uint64_t before = std::exchange(cpu_nanoseconds_[static_cast<std::size_t>(where.value)], nanoseconds);
  add(all_cpu_nanoseconds_, nanoseconds - before);
}

void statistics_observer::on_lost(const worker_place& where, const std::string& cause, std::uint64_t tasks) {
  add(workers_lost_, 1);
  add(tasks_lost_, tasks);
  if (losses_ != nullptr) losses_(where, cause, tasks);
}

}  // namespace rankpool::detail
